/**
 * Finds where secrets may be. A text is read once: three bytes at a time, without case, are looked up in a table of
 * 64 KiB that stays in the processor's cache. What looks like the start of something is then compared, and shown to a rule.
 */

/** A place in a text that is a secret: characters from `start` to `end`. */
export interface Hit {
  readonly start: number
  readonly end: number
  readonly kind: string
  /** Of overlapping hits, the one with the lower rank counts. */
  readonly rank: number
}

/** What a rule sees: one character for each byte (latin1). */
export interface Piece {
  readonly text: string
  readonly path: string
  hit(hit: Hit): void
}

export interface Anchor {
  /** At least three characters; lower case if `anyCase`. */
  readonly text: string
  readonly anyCase: boolean
  /** Looks at the text around `at`, where the anchor begins. */
  look(piece: Piece, at: number): void
}

const WIDTH = 3
const TABLE_BITS = 16
const SPREAD = 0x9e3779b1 // 2^32 divided by the golden ratio (Knuth, multiplicative hashing)
const CASE = 0x20

export interface Finder {
  /** Calls the rules of every anchor that begins within [from, to). */
  find(bytes: Uint8Array, from: number, to: number, piece: () => Piece): void
}

export function makeFinder(anchors: readonly Anchor[]): Finder {
  const table = new Uint16Array(1 << TABLE_BITS)
  const buckets: Known[][] = [[]]
  // Longer ones first, so that the more exact kind is found first.
  for (const anchor of [...anchors].sort((a, b) => b.text.length - a.text.length)) {
    if (anchor.text.length < WIDTH) throw new RangeError(`the anchor ${anchor.text} is too short`)
    let value = 0
    for (let at = 0; at < WIDTH; at++) value |= (anchor.text.charCodeAt(at) | CASE) << (8 * at)
    const slot = Math.imul(value, SPREAD) >>> (32 - TABLE_BITS)
    if (!table[slot]) table[slot] = buckets.push([]) - 1
    const bytes = Uint8Array.from(anchor.text, (letter) => letter.charCodeAt(0))
    buckets[table[slot] ?? 0]?.push({ anchor, bytes })
  }
  return {
    find(bytes, from, to, piece) {
      let shown: Piece | undefined
      const last = Math.min(to + WIDTH - 1, bytes.length)
      let value = (((bytes[from] ?? 0) | CASE) << 8) | (((bytes[from + 1] ?? 0) | CASE) << 16)
      for (let at = from + 2; at < last; at++) {
        value = (value >>> 8) | (((bytes[at] ?? 0) | CASE) << 16)
        const bucket = table[Math.imul(value, SPREAD) >>> (32 - TABLE_BITS)] ?? 0
        if (bucket === 0) continue
        for (const { anchor, bytes: wanted } of buckets[bucket] ?? []) {
          if (!matches(bytes, at - 2, wanted, anchor.anyCase)) continue
          shown ??= piece() // a string of all the bytes: only for texts that have something
          anchor.look(shown, at - 2)
        }
      }
    },
  }
}

interface Known {
  readonly anchor: Anchor
  readonly bytes: Uint8Array
}

function matches(bytes: Uint8Array, at: number, wanted: Uint8Array, anyCase: boolean): boolean {
  const fold = anyCase ? CASE : 0
  for (let i = 0; i < wanted.length; i++)
    if (((bytes[at + i] ?? 0) | fold) !== ((wanted[i] ?? 0) | fold)) return false
  return true
}
