/** Lists what is to be scanned: by git's own rules in a repository, all files elsewhere. */
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as k from '../../../ffi/abi/constants.ts'
import { SysError } from '../../../ffi/libc.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { listNames, openBelow, openFolder, statAt } from '../../../ffi/tree.ts'
import { runGit } from '../../trees/git-process.ts'

export function inRepository(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (lstatSync(join(at, '.git'), { throwIfNoEntry: false })) return true
    if (at === dirname(at)) return false
  }
}

export interface Listed {
  /** Below the folder; bytes, as latin1. Folders among them are submodules. */
  readonly paths: readonly string[]
  /** Repositories within, which git does not look into. */
  readonly nested: readonly string[]
}

/** Files that git tracks or would add; with `ignored`, those that it ignores, too. */
export async function listRepository(folder: string, home: string, ignored: boolean): Promise<Listed> {
  const args = ['ls-files', '-z', '--cached', '--others', ...(ignored ? [] : ['--exclude-standard'])]
  const all = [...new Set((await runGit(folder, home, args)).toString('latin1').split('\0'))].filter(Boolean)
  return {
    paths: all.filter((path) => !path.endsWith('/')),
    nested: all.filter((path) => path.endsWith('/')),
  }
}

export interface Walked {
  readonly paths: readonly string[]
  readonly unreadable: readonly { readonly path: string; readonly why: string }[]
}

/** All files below an open folder, without those of git itself. Links are not followed. */
export function walk(dir: number): Walked {
  const paths: string[] = []
  const unreadable: { path: string; why: string }[] = []
  const waiting = ['']
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    try {
      walkOne(dir, below, paths, waiting)
    } catch (error) {
      if (!(error instanceof SysError)) throw error
      unreadable.push({ path: below || '.', why: error.code })
    }
  }
  return { paths: paths.sort(), unreadable }
}

function walkOne(dir: number, below: string, paths: string[], waiting: string[]): void {
  const folder = below ? openBelow(dir, below) : openFolder(dir, '.')
  try {
    for (const names of listNames(folder))
      for (const name of names) {
        if (name === '.git') continue
        const path = below ? `${below}/${name}` : name
        const type = typeOf(folder, name)
        if (type === k.S_IFDIR) waiting.push(path)
        else if (type === k.S_IFREG) paths.push(path)
      }
  } finally {
    closeDescriptor(folder)
  }
}

/** Undefined if it was removed meanwhile. */
function typeOf(folder: number, name: string): number | undefined {
  try {
    return statAt(folder, name).type
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENOENT') return undefined
    throw error
  }
}
