/**
 * Resolves a path of the host that a person or a project named, in the same way as `coop cp`. Links are resolved by
 * hand, a link in a place where boxes write must not lead out of it, and the result is opened as a path without links.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Statx } from '../../ffi/abi/structs.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { textOf } from '../../ffi/text-bytes.ts'
import { openReal, pathBytes, placeIdentity, readLinkAt, statAt } from '../../ffi/tree.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Source } from '../sandbox/plan.ts'
import type { WayPart } from '../sandbox/readable.ts'
import { realPath } from '../sandbox/real-path.ts'

export interface HostPlace {
  readonly source: Source
  /** `other`: a socket, fifo or device, which a read-only mount does not restrict. */
  readonly kind: Source['type'] | 'other'
}

const asBytes = new WeakMap<readonly string[], readonly string[]>()

/** A link in a folder that is closed to us counts as none: its target is out of reach, and opening it reports that. */
function readLink(path: string): string | undefined {
  try {
    return readLinkAt(path)
  } catch {
    return undefined
  }
}

/** The path without links. `writable`: folders in which boxes write. Raises `code`. */
export function resolvedPath(path: string, writable: readonly string[], code: ErrorCode): string {
  const bytes = asBytes.get(writable) ?? writable.map(pathBytes)
  asBytes.set(writable, bytes)
  const real = realPath(pathBytes(path), true, { readLink, identity: placeIdentity, writable: bytes, code })
  return textOf(Buffer.from(real, 'latin1'))
}

/** statx of a path without links; undefined if nothing or a link is there, or it may not be looked at. */
export function statOf(path: string): Statx | undefined {
  let fd: number
  try {
    fd = openReal(pathBytes(path), k.O_PATH | abi.O_NOFOLLOW)
  } catch {
    return undefined
  }
  try {
    return statAt(fd, '')
  } finally {
    closeDescriptor(fd)
  }
}

function sourceFrom(path: string, stat: Statx, owner: Source['owner']): Source {
  return {
    path,
    device: { major: stat.devMajor, minor: stat.devMinor },
    inode: Number(stat.ino),
    type: stat.type === k.S_IFDIR ? 'folder' : 'file',
    owner,
  }
}

/** The source at a resolved path; undefined if it is gone or has become a link. */
export function sourceAt(path: string, owner: Source['owner']): Source | undefined {
  const stat = statOf(path)
  return stat && sourceFrom(path, stat, owner)
}

/** The target of a path, as a source of the user's. Raises `code` for a link that a box may have made. */
export function placeOf(path: string, writable: readonly string[], code: ErrorCode): HostPlace | undefined {
  const real = resolvedPath(path, writable, code)
  const stat = statOf(real)
  if (!stat) return undefined
  const source = sourceFrom(real, stat, 'user')
  return { source, kind: stat.type === k.S_IFREG || stat.type === k.S_IFDIR ? source.type : 'other' }
}

/** The folders on the way to a path without links, and the path itself. A part closed to us counts as closed. */
export function wayTo(path: string): WayPart[] {
  const names = path.split('/').filter(Boolean)
  const paths = ['/', ...names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)]
  return paths.map((part) => {
    const stat = statOf(part)
    return { path: part, mode: stat?.mode ?? 0, isFolder: !stat || stat.type === k.S_IFDIR }
  })
}
