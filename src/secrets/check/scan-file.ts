/** Scans files below a folder, whose names and content anybody may have made: no link is followed, nothing is waited for. */
import { readSync } from 'node:fs'
import * as k from '../../../ffi/abi/constants.ts'
import { SysError } from '../../../ffi/libc.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { openFileBelow, statAt } from '../../../ffi/tree.ts'
import { type Finding, scan } from '../scan/scanner.ts'

export type FileOutcome =
  | { readonly kind: 'scanned'; readonly bytes: number; readonly findings: readonly Finding[] }
  | { readonly kind: 'binary' | 'special' | 'link' | 'gone' | 'folder' }
  | { readonly kind: 'unreadable'; readonly why: string }

/** `path` is below the open folder `dir`; bytes, as latin1. */
export function scanFile(dir: number, path: string): FileOutcome {
  let fd: number
  try {
    fd = openFileBelow(dir, path)
  } catch (error) {
    return notOpened(error)
  }
  try {
    const { type } = statAt(fd, '')
    if (type === k.S_IFDIR) return { kind: 'folder' }
    if (type !== k.S_IFREG) return { kind: 'special' }
    const { findings, bytes, binary } = scan(path, (into) => readSync(fd, into, 0, into.length, null))
    return binary ? { kind: 'binary' } : { kind: 'scanned', bytes, findings }
  } catch (error) {
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) }
  } finally {
    closeDescriptor(fd)
  }
}

function notOpened(error: unknown): FileOutcome {
  if (!(error instanceof SysError)) throw error
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'gone' }
    case 'ELOOP':
    case 'EXDEV':
      return { kind: 'link' } // its target is scanned where it is
    case 'ENXIO':
    case 'ENODEV':
    case 'EOPNOTSUPP':
      return { kind: 'special' } // a socket, a device without a driver
    default:
      return { kind: 'unreadable', why: error.code }
  }
}
