/**
 * Deletes the files that boxes have written. Another box that shares a volume may change them meanwhile, so every name
 * is resolved in an open folder and no link is followed. Few folders are open at once, however deep a box has nested
 * them.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { finish, type Steps } from '../core/steps.ts'

export const MAX_DEPTH = 64 // nested folders; deeper ones are moved up first

const STEP = 32 // files and folders; removing them takes about a millisecond
const ROUNDS = 3 // a listing may miss names that move while it is read; a bound, because a process may keep making files

/** A temporary name beside the deleted folder, for folders nested too deep in it. */
export const movedName = (): string => `.deep.${crypto.randomUUID()}`

/** Returns the paths that could not be removed, including folders moved up. The enclosing folder must be coop's own. */
export const removeTree = (path: string): string[] => finish(removingTree(path))

/** `removeTree` in steps: a box may leave so many files, so deep, that removing them takes minutes. */
export function* removingTree(path: string): Steps<string[]> {
  const folder = dirname(path)
  let top: number
  try {
    top = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch {
    return [path]
  }
  try {
    const left = yield* new Removal(top).remove(tree.pathBytes(basename(path)))
    return left.map((name) => join(folder, tree.pathText(name)))
  } finally {
    closeSync(top)
  }
}

class Removal {
  readonly #top: number
  readonly #moved: string[] = []
  #seen = 0

  constructor(top: number) {
    this.#top = top
  }

  /** Removes a name of the top folder; returns the names that are left there. */
  *remove(name: string): Steps<string[]> {
    const left = (yield* this.#entry(this.#top, name, 0)) ? [] : [name]
    for (let deep = this.#moved.pop(); deep !== undefined; deep = this.#moved.pop())
      if (!(yield* this.#entry(this.#top, deep, 0))) left.push(deep)
    return left
  }

  *#entry(dir: number, name: string, depth: number): Steps<boolean> {
    if (++this.#seen % STEP === 0) yield
    if (tree.remove(dir, name) || tree.removeFolder(dir, name)) return true // most folders in a box are empty
    let folder: number
    try {
      folder = tree.openToRemove(dir, name)
    } catch (error) {
      if (!(error instanceof SysError)) throw error
      return false // the folder belongs to another id
    }
    try {
      if (depth === MAX_DEPTH) {
        const moved = movedName()
        if (!tree.move(dir, name, this.#top, moved)) return false
        this.#moved.push(moved)
        return true
      }
      for (let round = 0; round < ROUNDS; round++) {
        const isEmptied = yield* this.#content(folder, depth)
        if (tree.removeFolder(dir, name)) return true
        if (!isEmptied) return false
        tree.rewind(folder)
      }
      return false
    } finally {
      closeDescriptor(folder)
    }
  }

  /** Whether the folder had entries and all of them are gone; there may be new ones then. */
  *#content(folder: number, depth: number): Steps<boolean> {
    let found = false
    let whole = true
    for (const names of tree.listNames(folder))
      for (const name of names) {
        found = true
        whole = (yield* this.#entry(folder, name, depth + 1)) && whole
      }
    return found && whole
  }
}
