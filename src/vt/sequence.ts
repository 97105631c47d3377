/** One control sequence of a terminal's output, as the tokenizer found it. */

/** `title` is GNU screen's and tmux's `ESC k … ST`; the others are ECMA-48's. */
export type Kind = 'esc' | 'csi' | 'osc' | 'dcs' | 'apc' | 'pm' | 'sos' | 'title'

/**
 * A view that the tokenizer refills for each sequence: a second of output contains millions. It is valid until the sink
 * returns; copy `raw` to keep it longer.
 */
export class Sequence {
  kind: Kind = 'esc'
  /** One of `< = > ?` directly after CSI or DCS, or 0. */
  prefix = 0
  /** Up to two bytes 0x20..0x2f, packed: `$` is 0x24, `%!` is 0x2521. */
  intermediates = 0
  /** The byte that ends ESC and CSI sequences and the header of DCS; 0 for the other strings. */
  final = 0
  /** Violates the grammar or contains control characters: terminals disagree about its effect. */
  malformed = false
  /** Longer than its kind allows; its bytes were not kept. Then it is also `malformed`. */
  overlong = false
  /** Stream offsets of its first byte and of the byte after its last one. */
  begin = 0
  end = 0
  /** Its bytes are `bytes[from..to)`, the payload is `bytes[payloadFrom..payloadTo)`. */
  bytes: Uint8Array = new Uint8Array(0)
  from = 0
  to = 0
  payloadFrom = 0
  payloadTo = 0

  /** The whole sequence, from ESC to the terminator. */
  get raw(): Uint8Array {
    return this.bytes.subarray(this.from, this.to)
  }

  /** The content of a string, without introducer, header and terminator. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadFrom, this.payloadTo)
  }

  /** The payload with one character per byte. */
  get text(): string {
    return latin1(this.bytes, this.payloadFrom, this.payloadTo)
  }

  /** Prefix, intermediates and final in one number, see `key()`. */
  get key(): number {
    return (this.prefix << 24) | (this.intermediates << 8) | this.final
  }

  /** The parameters of a CSI or DCS as written: `1;38:2::1:2:3`. */
  get parameters(): string {
    const from = this.from + (this.prefix ? 3 : 2)
    let to = from
    for (let byte = this.bytes[to] ?? 0; byte >= 0x30 && byte <= 0x3b; byte = this.bytes[++to] ?? 0);
    return latin1(this.bytes, from, to)
  }

  /** The parameters as numbers: a missing one is 0, and only the first of sub-parameters counts. */
  get numbers(): number[] {
    return this.parameters.split(';').map((text) => Number.parseInt(text, 10) || 0)
  }
}

/** The key of a CSI or DCS written as `?h`, `$p`, `?$p`, `m`: prefix, intermediates, final. */
export function key(text: string): number {
  const [, prefix = '', intermediates = '', final = ''] = /^([<=>?]?)([ -/]{0,2})(.)$/.exec(text) ?? []
  let packed = 0
  for (const character of intermediates) packed = (packed << 8) | character.charCodeAt(0)
  return ((prefix.charCodeAt(0) || 0) << 24) | (packed << 8) | final.charCodeAt(0)
}

export function latin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to)
}
