/**
 * Text that stands for bytes. The kernel's strings need not be UTF-8, and decoding would replace invalid bytes. Here
 * such a byte becomes half a surrogate pair, U+DC80 to U+DCFF, which no valid text has and JSON keeps (PEP 383).
 */

const ESCAPED = 0xdc00
const MAX_SEQUENCE = 4 // bytes of one character (RFC 3629)

/** The valid character that starts here, if any. */
function characterAt(bytes: Buffer, at: number): string | undefined {
  for (let size = 1; size <= MAX_SEQUENCE && at + size <= bytes.length; size++) {
    const part = bytes.subarray(at, at + size)
    const text = part.toString()
    if (Buffer.from(text).equals(part)) return text
  }
  return undefined
}

export function textOf(bytes: Buffer): string {
  const whole = bytes.toString()
  if (Buffer.from(whole).equals(bytes)) return whole
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const next = characterAt(bytes, at)
    text += next ?? String.fromCharCode(ESCAPED + bytes.readUInt8(at))
    at += next === undefined ? 1 : Buffer.byteLength(next)
  }
  return text
}

/** The bytes that a text stands for. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  const parts = text.split(/([\udc80-\udcff])/u)
  return Buffer.concat(
    parts.map((part, index) => (index % 2 ? Buffer.of(part.charCodeAt(0) - ESCAPED) : Buffer.from(part))),
  )
}
