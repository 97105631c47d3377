/** An entry of a tar archive, and the parts of its headers that mean the same in every format. */
import { CoopError } from '../../core/errors.ts'
import type { Segment } from './tar-sparse.ts'

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'folder' | 'fifo'

export interface TarEntry {
  readonly type: EntryType
  /** As in the archive: a byte string (tar-header.ts), like linkName and the xattrs. */
  readonly name: string
  readonly linkName: string
  /** Permissions, including setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Nanoseconds since 1970. */
  readonly mtime: bigint
  /** Bytes of the unpacked file, including holes. */
  readonly size: number
  /** The parts with data, if the file is sparse. */
  readonly segments: readonly Segment[] | undefined
  readonly xattrs: ReadonlyMap<string, string>
  readonly device: { readonly major: number; readonly minor: number }
}

export const TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'folder',
  '6': 'fifo',
  '7': 'file', // contiguous
  S: 'file', // GNU sparse
}
export const XATTR = /^(?:SCHILY\.xattr\.|LIBARCHIVE\.xattr\.)(.+)$/s

/** A byte string for messages. */
export const shown = (name: string): string =>
  JSON.stringify(Buffer.from(name, 'latin1').toString('utf8').slice(0, 300))

export function badLayer(sentence: string): CoopError {
  return new CoopError('E_IMAGE', sentence, { hint: 'do not use this image: it is damaged or hostile' })
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

export function xattrsOf(pax: ReadonlyMap<string, string>): Map<string, string> {
  const xattrs = new Map<string, string>()
  for (const [key, value] of pax) {
    const name = XATTR.exec(key)?.[1]
    if (name === undefined) continue
    // libarchive: the value in base64, the name percent-encoded; usually the same attribute also exists in the other
    // form.
    if (key.startsWith('LIBARCHIVE.')) {
      const plain = percentDecoded(name)
      if (!xattrs.has(plain)) xattrs.set(plain, Buffer.from(value, 'base64').toString('latin1'))
    } else xattrs.set(name, value)
  }
  return xattrs
}
