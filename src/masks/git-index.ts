/**
 * The names in a repository's index (gitformat-index(5), versions 2 to 4), to know which secrets git looks at. A box can
 * write an index: what it says decides only how a mask looks, not whether there is one.
 */

const HEADER = 12
const EXTENDED = 0x4000
const MAX_ENTRIES = 4_000_000

/** Calls `found` with each name, as bytes of one character. Returns false for something that is no index. */
export function indexNames(bytes: Buffer, hashSize: 20 | 32, found: (name: string) => void): boolean {
  if (bytes.length < HEADER || bytes.toString('latin1', 0, 4) !== 'DIRC') return false
  const version = bytes.readUInt32BE(4)
  const count = bytes.readUInt32BE(8)
  if (version < 2 || version > 4 || count > MAX_ENTRIES) return false
  let previous = ''
  let at = HEADER
  for (let entry = 0; entry < count; entry++) {
    const flagsAt = at + 40 + hashSize
    if (flagsAt + 4 > bytes.length) return false
    const isExtended = (bytes.readUInt16BE(flagsAt) & EXTENDED) !== 0
    let nameAt = flagsAt + (isExtended ? 4 : 2)
    let kept = 0
    if (version === 4) {
      const strip = readOffset(bytes, nameAt)
      if (!strip || strip.value > previous.length) return false
      kept = previous.length - strip.value
      nameAt = strip.end
    }
    const end = bytes.indexOf(0, nameAt)
    if (end < 0) return false
    previous = previous.slice(0, kept) + bytes.toString('latin1', nameAt, end)
    found(previous)
    // Up to version 3 an entry ends with one to eight NULs.
    at = version === 4 ? end + 1 : at + (((end - at) & ~7) + 8)
  }
  return true
}

/** The variable width of pack files' offsets. */
function readOffset(
  bytes: Buffer,
  from: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let at = from; at < bytes.length && at < from + 5; at++) {
    const byte = bytes.readUInt8(at)
    value = (at === from ? 0 : (value + 1) * 128) + (byte & 0x7f)
    if (!(byte & 0x80)) return { value, end: at + 1 }
  }
  return undefined
}
