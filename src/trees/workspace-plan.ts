/** Finds what restoring a saved workspace has to change: without git, and without changing anything. */
import * as k from '../../ffi/abi/constants.ts'
import type { Statx } from '../../ffi/abi/structs.ts'
import { readAt } from '../../ffi/files.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { isAbsent, openTop, refuseTooDeep, split, TURN, turn, walk, within } from './work-files.ts'

const PIECE = 1 << 20 // bytes compared at a time

export interface Existing {
  readonly path: string
  /** Changes with the file and with every other file in its place. */
  readonly print: string
}

export interface WorkspaceChanges {
  /** Saved files that differ from the workspace's, or are not there (`print` is undefined). */
  readonly put: readonly { readonly path: string; readonly print: string | undefined }[]
  /** Empty folders of the snapshot. */
  readonly folders: readonly string[]
  /** Files to be deleted. */
  readonly doomed: readonly Existing[]
  /** Files that are in the way of saved ones, and must not be deleted. */
  readonly obstacles: readonly string[]
}

/** Identifies a file wherever it is moved; undefined when the file system does not tell times of birth. */
export const birthMark = ({ ino, birth }: Statx): string | undefined =>
  birth > 0n ? `${ino}:${birth}` : undefined

export const printOf = ({ ino, birth, size, mtime, type }: Statx): string =>
  `${type}:${ino}:${birth}:${size}:${mtime.seconds}.${mtime.nanoseconds}`

/** Runs `look` for a name of an open folder; undefined when it is not there. */
export function lookAt<T>(top: number, path: string, look: (dir: number, name: string) => T): T | undefined {
  const { folder, name } = split(path)
  try {
    const dir = tree.openBelow(top, folder)
    try {
      return look(dir, name)
    } finally {
      closeDescriptor(dir)
    }
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Files and links among `paths` that exist, with what statx(2) says. Folders are repositories of their own. */
export async function existing(
  workspace: string,
  paths: readonly string[],
): Promise<{ readonly path: string; readonly stat: Statx }[]> {
  return await within(openTop(workspace), async (top) => {
    const found: { path: string; stat: Statx }[] = []
    for (const [index, path] of paths.entries()) {
      if (index % TURN === 0) await turn()
      const stat = lookAt(top, path, tree.statAt)
      if (stat && stat.type !== k.S_IFDIR) found.push({ path, stat })
    }
    return found
  })
}

async function sameBytes(one: number, other: number): Promise<boolean> {
  const [a, b] = [new Uint8Array(PIECE), new Uint8Array(PIECE)]
  for (let at = 0; ; await turn()) {
    const n = readAt(one, a, at)
    if (n !== readAt(other, b, at) || Buffer.compare(a.subarray(0, n), b.subarray(0, n)) !== 0) return false
    if (n === 0) return true
    at += n
  }
}

/** Whether a saved file is in the workspace as it was. */
async function same(
  saved: { readonly dir: number; readonly stat: Statx },
  there: { readonly dir: number; readonly stat: Statx },
  name: string,
): Promise<boolean> {
  const [a, b] = [saved.stat, there.stat]
  if (a.type !== b.type) return false
  if (a.type === k.S_IFLNK) return tree.readLink(saved.dir, name) === tree.readLink(there.dir, name)
  const hasSameFacts =
    a.size === b.size &&
    a.mode === b.mode &&
    a.mtime.seconds === b.mtime.seconds &&
    a.mtime.nanoseconds === b.mtime.nanoseconds
  if (!hasSameFacts) return false
  try {
    return await within(tree.openFile(saved.dir, name), (one) =>
      within(tree.openFile(there.dir, name), (other) => sameBytes(one, other)),
    )
  } catch (error) {
    if (error instanceof SysError) return false // unreadable or replaced: then it is put back
    throw error
  }
}

/** Compares a workspace with a saved one. `doomed`: files that are not in it and go. */
export async function compare(
  workspace: string,
  saved: string,
  doomed: readonly Existing[],
): Promise<WorkspaceChanges> {
  const put: { path: string; print: string | undefined }[] = []
  const folders: string[] = []
  const obstacles = new Set<string>()
  const going = new Set(doomed.map(({ path }) => path))
  const above = new Map<string, string | undefined>() // by folder
  await within(openTop(workspace), (to) =>
    within(openTop(saved), (from) =>
      walk(from, async (path, folder) => {
        const around = folder ? path : split(path).folder
        if (!above.has(around)) above.set(around, obstacleAbove(to, around))
        const obstacle = above.get(around)
        if (obstacle !== undefined && !going.has(obstacle)) return void obstacles.add(obstacle)
        if (folder) return void folders.push(path)
        const at = split(path)
        await within(tree.openBelow(from, at.folder), async (source) => {
          const was = tree.statAt(source, at.name)
          if (obstacle !== undefined) return void put.push({ path, print: undefined })
          const now = lookAt(to, path, tree.statAt)
          if (now?.type === k.S_IFDIR) for (const one of await filesBelow(to, path, going)) obstacles.add(one)
          if (!now || now.type === k.S_IFDIR) return void put.push({ path, print: undefined })
          const isSame = await within(tree.openBelow(to, at.folder), (there) =>
            same({ dir: source, stat: was }, { dir: there, stat: now }, at.name),
          )
          if (!isSame) put.push({ path, print: printOf(now) })
        })
      }),
    ),
  )
  return { put, folders, doomed, obstacles: [...obstacles] }
}

/** The first part of a folder's path that is neither a folder nor missing. */
function obstacleAbove(top: number, folder: string): string | undefined {
  if (!folder) return undefined
  let known = ''
  for (const part of folder.split('/')) {
    known = known ? `${known}/${part}` : part
    const stat = lookAt(top, known, tree.statAt)
    if (!stat) return undefined
    if (stat.type !== k.S_IFDIR) return known
  }
  return undefined
}

/** Everything but folders below a folder, except `without`. Raises E_WORKSPACE for folders nested too deep. */
async function filesBelow(top: number, path: string, without: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = []
  const look = async (dir: number, at: string, depth: number): Promise<void> => {
    refuseTooDeep(at, depth)
    for (const [index, name] of [...tree.listNames(dir)].flat().entries()) {
      if (index % TURN === 0) await turn()
      const below = `${at}/${name}`
      if (tree.statAt(dir, name).type === k.S_IFDIR)
        await within(tree.openFolder(dir, name), (fd) => look(fd, below, depth + 1))
      else if (!without.has(below)) found.push(below)
    }
  }
  await within(tree.openBelow(top, path), (fd) => look(fd, path, 0))
  return found
}
