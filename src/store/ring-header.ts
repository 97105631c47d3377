/**
 * The part of a ring's header that identifies it (src/terminal/ring-file.ts has the rest). It is separate from ring.ts,
 * because it is checked at every key.
 */
import { VERSION } from '../core/version.ts'

export const RING_HEADER = 128 // bytes
export const RING_VERSION = 4

const MAGIC = 0x636f6f70 // "coop"
const AT_VERSION = 4
/** The release that made it, as text padded with zeros; 0.1.0 left only zeros there. */
const AT_RELEASE = 96
const RELEASE_SIZE = 32 // bytes

/** Undefined if the file is not a ring, or no longer one. */
export const ringVersion = (header: DataView): number | undefined =>
  header.getUint32(0, true) === MAGIC ? header.getUint32(AT_VERSION, true) : undefined

export const isCurrentRing = (header: DataView): boolean => ringVersion(header) === RING_VERSION

export function stampRing(header: DataView): void {
  header.setUint32(0, MAGIC, true)
  header.setUint32(AT_VERSION, RING_VERSION, true)
  const release = new Uint8Array(header.buffer, header.byteOffset + AT_RELEASE, RELEASE_SIZE)
  new TextEncoder().encodeInto(VERSION.slice(0, RELEASE_SIZE - 1), release)
}

export function ringRelease(header: DataView): string {
  const bytes = new Uint8Array(header.buffer, header.byteOffset + AT_RELEASE, RELEASE_SIZE)
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
