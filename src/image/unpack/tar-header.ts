/**
 * One header block of a tar archive, and the fields of pax headers. Pure. Formats: pax(1) of POSIX.1-2017, and "Basic
 * Tar Format" and "GNU Extensions" of the GNU tar manual.
 *
 * Names are byte strings, one character per byte (latin1), because archives do not state their encoding.
 */

export const BLOCK = 512

export interface RawHeader {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly type: string
  readonly linkName: string
  readonly major: number
  readonly minor: number
}

/** Text up to the first NUL. */
export function field(block: Buffer, at: number, size: number): string {
  const end = block.indexOf(0, at)
  return block.toString('latin1', at, end < 0 || end > at + size ? at + size : end)
}

/** Octal digits, or GNU's base-256 for larger numbers (first bit set; two's complement). */
export function number(block: Buffer, at: number, size: number): number {
  const first = block[at] ?? 0
  if (first & 0x80) {
    let value = first & 0x40 ? -1 : 0
    value = value * 64 + (first & 0x3f)
    for (let i = 1; i < size; i++) value = value * 256 + (block[at + i] ?? 0)
    return value
  }
  const digits = block
    .toString('latin1', at, at + size)
    .replace(/[\0 ]+$/, '')
    .trimStart()
  const end = digits.search(/[\0 ]/)
  const octal = end < 0 ? digits : digits.slice(0, end)
  if (octal === '') return 0
  return /^[0-7]+$/.test(octal) ? Number.parseInt(octal, 8) : Number.NaN
}

/** The sum of all bytes, with the checksum field counted as blanks; some old programs summed signed bytes. */
export function checksumFits(block: Buffer): boolean {
  let sum = 0
  let signed = 0
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : (block[i] ?? 0)
    sum += byte
    signed += byte > 127 ? byte - 256 : byte
  }
  const wanted = number(block, 148, 8)
  return wanted === sum || wanted === signed
}

export const isZero = (block: Buffer): boolean => block.every((byte) => byte === 0)

export function parseHeader(block: Buffer): RawHeader {
  const magic = block.toString('latin1', 257, 263)
  const isUstar = magic === 'ustar\0'
  const prefix = isUstar ? field(block, 345, 155) : ''
  const name = field(block, 0, 100)
  return {
    name: prefix ? `${prefix}/${name}` : name,
    mode: number(block, 100, 8),
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    type: String.fromCharCode(block[156] ?? 0),
    linkName: field(block, 157, 100),
    major: magic.startsWith('ustar') ? number(block, 329, 8) : 0,
    minor: magic.startsWith('ustar') ? number(block, 337, 8) : 0,
  }
}

/**
 * Records `length key=value\n` of a pax header, in order; undefined if they are malformed. Keys and values are byte
 * strings; an empty value cancels a global one.
 */
export function parsePax(bytes: Buffer): [string, string][] | undefined {
  const records: [string, string][] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 0 && bytes.subarray(at).every((byte) => byte === 0)) break // padding of some writers
    const blank = bytes.indexOf(32, at)
    if (blank < 0 || blank - at > 10) return undefined
    const digits = bytes.toString('latin1', at, blank)
    const length = Number(digits)
    const end = at + length
    if (!/^[0-9]+$/.test(digits) || end <= blank + 1 || end > bytes.length || bytes[end - 1] !== 10)
      return undefined
    const equals = bytes.indexOf(61, blank + 1)
    if (equals < 0 || equals >= end) return undefined
    records.push([bytes.toString('latin1', blank + 1, equals), bytes.toString('latin1', equals + 1, end - 1)])
    at = end
  }
  return records
}

/** Nanoseconds from pax's decimal number of seconds; undefined if the text is not one. */
export function parseTime(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text)
  if (!match) return undefined
  const [, sign, seconds = '0', fraction = ''] = match
  const value = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign ? -value : value
}
