/** The ring of a terminal as a state file: recognizes rings of other versions and converts them to the current one. */

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

// Versions before 4 were never released.
export const ring: Kind<RingImage> = { name: 'ring', version: RING_VERSION, migrations: {}, parse, decode }

/** Reads a ring's header. */
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
 * Bring a ring of an older version to the current one. The whole file is converted and replaced at its path, so that a
 * client with the old file open notices that it is no longer in use. Returns the state of the file now at the path.
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
