/**
 * Looks through one folder of a workspace or mount and decides about its names. Only reads: single names, without
 * following links, below the descriptor of the top (docs/architecture.md, "What boxes write").
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { openHow } from '../../ffi/abi/structs.ts'
import { SysError, syscall } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { isInside, readInside } from '../../ffi/small-file.ts'
import { textOf } from '../../ffi/text-bytes.ts'
import {
  type Entry,
  listEntries,
  openBelow,
  pathBytes,
  readLink,
  readLinkAt,
  statAt,
} from '../../ffi/tree.ts'
import { CoopError } from '../core/errors.ts'
import { COOPIGNORE, type CoopIgnore, MAX_COOPIGNORE, parseCoopIgnore } from '../secrets/coopignore.ts'
import type { EntryKind, Folder } from '../secrets/decide.ts'

const listing = Buffer.alloc(64 * 1024)
const GIT = '.git'
const REF_BYTES = 4096
// A ref, or a line of a reflog: names below refs/ and logs/ are those of branches.
const REF = /^(?:ref: [^\n]{1,1000}|[0-9a-f]{40}(?:[0-9a-f]{24})?(?: [^\n]*)?)(?:\n|$)/

export const nameText = (name: string): string =>
  /^[\0-\x7f]*$/.test(name) ? name : textOf(Buffer.from(name, 'latin1'))

/** Opens a folder below the top; undefined if it is gone, is none any more, or may not be read. */
export function openFolderAt(top: number, path: string): number | undefined {
  try {
    return openBelow(top, path)
  } catch (error) {
    if (error instanceof SysError) return undefined
    throw error
  }
}

/** The entries of an open folder; none if it cannot be listed. */
export function entriesOf(folder: number): Entry[] {
  try {
    return listEntries(folder, listing)
  } catch (error) {
    if (error instanceof SysError) return []
    throw error
  }
}

/** The type of an entry, asking where the listing does not tell it; undefined if it is gone. */
export function kindOf(folder: number, entry: Entry): EntryKind | undefined {
  const type = entry.type || typeAt(folder, entry.name)
  if (type === undefined) return undefined
  return type === k.S_IFDIR ? 'folder' : type === k.S_IFLNK ? 'link' : 'file'
}

function typeAt(folder: number, name: string): number | undefined {
  try {
    return statAt(folder, name).type
  } catch (error) {
    if (error instanceof SysError) return undefined
    throw error
  }
}

/** Reads the `.coopignore` of a folder. Raises E_CONFIG for one that is unreadable or has a mistake. */
export function coopIgnoreOf(top: string, folder: string, isFile: boolean): CoopIgnore {
  const below = nameText(folder ? `${folder}/${COOPIGNORE}` : COOPIGNORE)
  const path = `${top}/${below}`
  let bytes: Uint8Array | undefined
  let cause: unknown
  try {
    bytes = isFile ? readInside(top, below, MAX_COOPIGNORE + 1) : undefined
  } catch (error) {
    cause = error
  }
  if (!bytes || bytes.length > MAX_COOPIGNORE)
    throw new CoopError('E_CONFIG', `${path} cannot be read, so coop does not know what to hide`, {
      hint: `make it a plain file of at most ${MAX_COOPIGNORE / 1024} KiB that you can read, or remove it`,
      cause,
    })
  const parsed = parseCoopIgnore(textOf(Buffer.from(bytes)))
  const [first] = parsed.mistakes
  if (!first) return parsed
  const more = parsed.mistakes.length > 1 ? ` (and ${parsed.mistakes.length - 1} more mistakes)` : ''
  throw new CoopError('E_CONFIG', `${path}:${first.line}: the pattern ${first.problem}${more}`, {
    hint: 'comments have lines of their own, as in .gitignore; a backslash before a character takes it literally',
  })
}

/** The `.coopignore` of the top itself; empty without one. */
export function topCoopIgnore(top: string): CoopIgnore {
  if (!isInside(top, COOPIGNORE)) return { lines: [], mistakes: [] }
  return coopIgnoreOf(top, '', !isLinkAt(top))
}

const isLinkAt = (top: string): boolean => readLinkAt(pathBytes(`${top}/${COOPIGNORE}`)) !== undefined

/** Whether a folder, or one above it, has the branches of a git repository as its names. */
export const hasBranches = (path: string): boolean =>
  /(?:^|\/)\.git(?:\/.*)?\/(?:refs|logs)(?:\/|$)/.test(`${path}/`)

/**
 * Whether a file with the name of a secret is git's record of a branch with that name. Its content decides: a box may
 * move a folder of secrets below `.git/refs`.
 */
export function isBranch(top: string, path: string): boolean {
  if (!path.includes(GIT)) return false
  try {
    const bytes = readInside(top, nameText(path), 1 << 20)
    return bytes !== undefined && REF.test(Buffer.from(bytes.subarray(0, REF_BYTES)).toString('latin1'))
  } catch {
    return false
  }
}

/** The folder of a path, and its last name. */
export function partsOf(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return { parent: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) }
}

/** All folders of a path but the top. */
export function* above(path: string): Generator<string> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) yield path.slice(0, at)
}

export function isThere(top: number, path: string): boolean {
  const { parent, name } = partsOf(path)
  const at = openFolderAt(top, parent)
  if (at === undefined) return false
  const isKnown = typeAt(at, name) !== undefined
  closeDescriptor(at)
  return isKnown
}

/** Judges one name of a folder. */
export function judge(folder: Folder, top: string, path: string, name: string, kind: EntryKind) {
  const rule = folder.judge(nameText(name), kind)
  if (!rule || !path.includes(GIT)) return rule
  if (!hasBranches(path.slice(0, -name.length))) return rule
  if (kind === 'folder') return undefined
  return isBranch(top, path) ? undefined : rule
}

/** Where a link leads, if that is below the top: a path relative to it. */
export function linkTarget(top: number, topPath: string, folder: number, path: string): string | undefined {
  let at: string
  try {
    const target = readLink(folder, path.slice(path.lastIndexOf('/') + 1))
    const inside = `${topPath}/`
    at = target.startsWith(inside) ? target.slice(inside.length) : path
  } catch (error) {
    if (error instanceof SysError) return undefined
    throw error
  }
  const how = openHow({ flags: k.O_PATH | k.O_CLOEXEC, resolve: k.RESOLVE_BENEATH | k.RESOLVE_NO_MAGICLINKS })
  const found = syscall('openat2', top, Buffer.from(`${at}\0`, 'latin1'), how, how.length)
  if (found < 0) return undefined
  const real = readLinkAt(`/proc/self/fd/${found}`)
  const isFolder = statAt(found, '').type === k.S_IFDIR
  closeDescriptor(found)
  const inside = `${readLinkAt(`/proc/self/fd/${top}`) ?? topPath}/` // it may have been renamed
  if (!real?.startsWith(inside)) return undefined
  return `${real.slice(inside.length)}${isFolder ? '/' : ''}`
}

/** Opens the top; its path has no links. */
export function openTop(path: string): number {
  const how = openHow({ flags: k.O_RDONLY | abi.O_DIRECTORY | k.O_CLOEXEC, resolve: k.RESOLVE_NO_SYMLINKS })
  const fd = syscall('openat2', k.AT_FDCWD, Buffer.from(`${path}\0`), how, how.length)
  if (fd < 0)
    throw new CoopError('E_WORKSPACE', `${path} cannot be opened to look for secrets`, {
      hint: 'check its permissions',
      cause: new SysError('openat2', fd, path),
    })
  return fd
}
