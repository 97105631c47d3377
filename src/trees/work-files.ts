/**
 * Files of a workspace, for snapshots. A box writes in the workspace, so every folder is opened without following
 * links, and names are single ones in open folders. Paths are below the workspace; bytes, as latin1.
 */
import * as k from '../../ffi/abi/constants.ts'
import { copyBytes } from '../../ffi/copy-bytes.ts'
import { SysError, shortPath } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { CoopError } from '../core/errors.ts'

export const TURN = 64 // files between two turns of the event loop
const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']

export function isAbsent(error: unknown): boolean {
  return error instanceof SysError && ABSENT.includes(error.code)
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function split(path: string): { readonly folder: string; readonly name: string } {
  const at = path.lastIndexOf('/')
  return { folder: path.slice(0, Math.max(0, at)), name: path.slice(at + 1) }
}

/** Runs `work` with an open folder, then closes the folder. */
export async function within<T>(fd: number, work: (fd: number) => Promise<T>): Promise<T> {
  try {
    return await work(fd)
  } finally {
    closeDescriptor(fd)
  }
}

export function openTop(path: string): number {
  return tree.openReal(tree.pathBytes(path), tree.FOLDER)
}

/** Copies one file or link into another folder under a new name. Returns bytes on disk; undefined for other types. */
export async function copyOne(
  from: number,
  name: string,
  to: number,
  as: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const stat = tree.statAt(from, name)
  const keepOwner = process.getuid?.() === 0
  if (stat.type === k.S_IFLNK) {
    tree.makeLink(tree.readLink(from, name), to, as)
    if (keepOwner) tree.setOwner(to, as, stat.uid, stat.gid)
    tree.setLinkTime(to, as, stat.mtime)
    return 0
  }
  if (stat.type !== k.S_IFREG) return undefined
  return await within(tree.openFile(from, name), async (source) => {
    const opened = tree.statAt(source, '')
    if (opened.type !== k.S_IFREG) return undefined // replaced meanwhile
    return await within(tree.createFile(to, as), async (target) => {
      const size = Number(opened.size)
      await copyBytes(source, target, size, async () => {
        await turn()
        signal?.throwIfAborted()
      })
      if (keepOwner) tree.setOwner(target, '', opened.uid, opened.gid)
      tree.setModeAndTime(target, opened.mode & 0o7777, opened.mtime)
      return size
    })
  })
}

// Each level takes one of the daemon's descriptors, which its boxes need too.
const MAX_DEPTH = 1000

export function refuseTooDeep(path: string, depth: number): void {
  if (depth <= MAX_DEPTH) return
  const shown = shortPath(Buffer.from(path, 'latin1').toString())
  throw new CoopError('E_WORKSPACE', `folders are nested more than ${MAX_DEPTH} deep: ${shown}`, {
    hint: 'remove that folder, or leave --workspace out',
  })
}

/** Visits every file, link and empty folder below a folder. Never follows a link. Raises E_WORKSPACE for too deep ones. */
export async function walk(
  top: number,
  visit: (path: string, folder: boolean) => Promise<void> | void,
): Promise<void> {
  const below = async (dir: number, path: string, depth: number): Promise<void> => {
    refuseTooDeep(path, depth)
    const names = [...tree.listNames(dir)].flat().sort()
    if (!names.length && path) await visit(path, true)
    for (const [index, name] of names.entries()) {
      if (index % TURN === 0) await turn()
      const at = path ? `${path}/${name}` : name
      let type: number
      try {
        type = tree.statAt(dir, name).type
        if (type === k.S_IFDIR) await within(tree.openFolder(dir, name), (fd) => below(fd, at, depth + 1))
      } catch (error) {
        if (isAbsent(error)) continue
        throw error
      }
      if (type === k.S_IFREG || type === k.S_IFLNK) await visit(at, false)
    }
  }
  await below(top, '', 0)
}

/** Paths of all files and links in a folder. */
export function filesIn(path: string): Promise<string[]> {
  return within(openTop(path), async (top) => {
    const found: string[] = []
    await walk(top, (at, folder) => {
      if (!folder) found.push(at)
    })
    return found
  })
}

/** Opens the folder `path` of `top` and makes missing ones on the way, with their modes in `like`. */
export function ensure(top: number, like: number, path: string): number {
  let at = tree.openBelow(top, '')
  let source: number | undefined
  let known = ''
  try {
    for (const part of path.split('/').filter(Boolean)) {
      known = known ? `${known}/${part}` : part
      const { fd, made } = tree.ensureFolder(at, part)
      closeDescriptor(at)
      at = fd
      if (!made) {
        if (source !== undefined) closeDescriptor(source)
        source = undefined
        continue
      }
      // Below a new folder all are new. Step by step: found from the top for each, a folder 2,000 deep took 7 s.
      const above = source
      source = above === undefined ? tree.openBelow(like, known) : tree.openFolder(above, part)
      if (above !== undefined) closeDescriptor(above)
      const stat = tree.statAt(source, '')
      if (process.getuid?.() === 0) tree.setOwner(at, '', stat.uid, stat.gid)
      tree.setMode(at, (stat.mode & 0o7777) | 0o700) // files will be put into it
    }
    return at
  } catch (error) {
    closeDescriptor(at)
    throw error
  } finally {
    if (source !== undefined) closeDescriptor(source)
  }
}
