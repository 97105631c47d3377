/** The ring of a terminal as a state file: what a ring of another version is, and how it becomes one of today's. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { errnoOf } from '../core/errno.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, type Found, type Kind, type Newer, readStored } from './kind.ts'
import { RING_HEADER, RING_VERSION, ringRelease, ringVersion } from './ring-header.ts'

/** The whole file. */
export interface RingImage {
  readonly bytes: Buffer
}

function decode(bytes: Buffer): Fields | undefined {
  if (bytes.length < RING_HEADER) return undefined
  const header = new DataView(bytes.buffer, bytes.byteOffset, RING_HEADER)
  return { version: ringVersion(header), release: ringRelease(header), bytes }
}

function parse({ bytes }: Fields): RingImage | undefined {
  return Buffer.isBuffer(bytes) ? { bytes } : undefined
}

// Versions before 4 were in no release.
export const ring: Kind<RingImage> = { name: 'ring', version: RING_VERSION, migrations: {}, parse, decode }

/** What a ring is, by its header. */
function lookAt(path: string, kind: Kind<RingImage>): Found<RingImage> & { readonly isCurrent?: boolean } {
  const header = Buffer.alloc(RING_HEADER)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    return { is: errnoOf(error) === 'ENOENT' ? 'missing' : 'unreadable' }
  }
  try {
    if (readSync(fd, header, 0, RING_HEADER, 0) < RING_HEADER) return { is: 'unreadable' }
  } finally {
    closeSync(fd)
  }
  const isCurrent = decode(header)?.version === kind.version
  return { ...readStored(kind, header), isCurrent }
}

/**
 * Bring a ring of an older version into today's, which is a matter of its whole file: replaced at its path, so that a
 * client that has the older one open finds that it is nobody's any more. Returns what is at the path then.
 */
export function upgradeRing(path: string, kind: Kind<RingImage> = ring): Found<RingImage>['is'] {
  const { is, isCurrent } = lookAt(path, kind)
  if (is !== 'readable' || isCurrent) return is
  try {
    const migrated = readStored(kind, readFileSync(path))
    if (migrated.is !== 'readable') return migrated.is
    writeAtomically(path, migrated.value.bytes, { sync: false })
    return 'readable'
  } catch {
    return 'unreadable'
  }
}

export class NewerRing extends Error {
  readonly newer: Newer

  constructor(path: string, newer: Newer) {
    super(`${path} is of a newer release`)
    this.newer = newer
  }
}

/** Throws NewerRing. Changes nothing. */
export function refuseNewerRing(path: string): void {
  const found = lookAt(path, ring)
  if (found.is === 'newer') throw new NewerRing(path, found)
}
