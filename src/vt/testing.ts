/** Helpers for the tests of this folder: random streams, and ways to read them. */
import { ESC } from './characters.ts'
import { type FilterOptions, OutputFilter } from './filter.ts'
import type { Kind, Sequence } from './sequence.ts'
import { Tokenizer } from './tokenizer.ts'

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** One byte per character, for text that is not UTF-8. */
export const rawBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The filter's output for a whole stream. */
export function filtered(input: string | Uint8Array, options?: FilterOptions): string {
  const filter = new OutputFilter(options)
  const bytes = typeof input === 'string' ? bytesOf(input) : input
  return Buffer.concat([filter.push(bytes), filter.flush()]).toString()
}

export type Token =
  | { readonly is: 'text' | 'control'; readonly bytes: string }
  | {
      readonly is: Kind
      readonly bytes: string
      readonly begin: number
      readonly end: number
      readonly malformed: boolean
      readonly sequence: Sequence
    }

/** All tokens of the tokenizer, with neighbouring texts joined. */
export function tokens(parts: readonly Uint8Array[]): Token[] {
  const found: Token[] = []
  const text = (bytes: Uint8Array): void => {
    const last = found.at(-1)
    const more = Buffer.from(bytes).toString('latin1')
    if (last?.is === 'text') found[found.length - 1] = { is: 'text', bytes: last.bytes + more }
    else found.push({ is: 'text', bytes: more })
  }
  const tokenizer = new Tokenizer({
    text: (bytes, from, to) => text(bytes.subarray(from, to)),
    control: (_, bytes, from, to) =>
      found.push({ is: 'control', bytes: Buffer.from(bytes.subarray(from, to)).toString('latin1') }),
    sequence: (sequence) => {
      const { kind, begin, end, malformed } = sequence
      const bytes = Buffer.from(sequence.raw).toString('latin1')
      found.push({ is: kind, bytes, begin, end, malformed, sequence: copy(sequence) })
    },
  })
  for (const part of inTurn(parts)) tokenizer.push(part)
  return found
}

/** A copy of the sequence with bytes of its own. */
function copy(sequence: Sequence): Sequence {
  const own = Object.assign(Object.create(Object.getPrototypeOf(sequence)), sequence) as Sequence
  own.bytes = new Uint8Array(sequence.bytes)
  return own
}

export type Random = (below: number) => number

export function generator(seed: number): Random {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes' constants
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PIECES = [
  ...'\x1b[]P_^Xk\\?>=<!$+;:0123456789hlmntqcruABCDEFGHJK\x07\x05\x18\x1a\r\n\b\t\0\x7f ',
  ...[
    '\x1b[',
    '\x1b]',
    '\x1bP',
    '\x1b_G',
    '\x1b\\',
    '\x1b[31m',
    '\x1b[2J',
    '\x1b[?1049h',
    '\x1b[21t',
    '\x1b[6n',
  ],
  ...[
    '\x1b]0;title\x07',
    '\x1b]52;c;aGk=\x07',
    '\x1b]52;c;?\x07',
    '\x1b]8;;http://x/\x1b\\',
    '\x1b]11;?\x1b\\',
  ],
  ...['\x1bP+q436f\x1b\\', '\x1bP$qm\x1b\\', '\x1bPq#0;2;0;0;0~-\x1b\\', '\x1bPtmux;\x1b\x1b[6n\x1b\\'],
  ...[
    '\x1b_Ga=T,f=24,i=1;AAAA\x1b\\',
    '\x1b_Gt=f;L2V0Yw==\x1b\\',
    '\x1b]99;i=1:d=0;x\x1b\\',
    '\x1b]9;hi\x07',
  ],
  ...[
    'ä',
    '漢',
    '🐔',
    '\u009b',
    '\u009d',
    '\u0085',
    'text',
    'a long run of text',
    '\r\n',
    '\x1b(0',
    '\x1b%@',
  ],
].map((text) => Buffer.from(text))
const STRAY = [0x80, 0x9b, 0x9c, 0x9d, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xff]

/** Random bytes, or sequences and similar bytes, cut and changed. */
export function randomStream(random: Random): Uint8Array {
  if (random(4) === 0) return Uint8Array.from({ length: random(80) }, () => random(256))
  const parts = Array.from({ length: 1 + random(24) }, () => {
    if (random(6) === 0) return Uint8Array.of(STRAY[random(STRAY.length)] ?? 0)
    const piece = Uint8Array.from(PIECES[random(PIECES.length)] ?? [])
    if (random(8) === 0) piece[random(piece.length)] = random(256)
    return random(8) === 0 ? piece.subarray(0, random(piece.length + 1)) : piece
  })
  return new Uint8Array(Buffer.concat(parts))
}

export function randomSplit(random: Random, bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  const largest = 1 + random(16)
  for (let at = 0; at < bytes.length; ) {
    const next = at + random(largest) + (random(3) ? 1 : 0)
    parts.push(bytes.slice(at, next))
    at = next
  }
  return parts
}

/** The parts as a terminal delivers them: each is a Buffer in the same memory, valid until the next one. */
export function* inTurn(parts: readonly Uint8Array[]): Generator<Buffer> {
  const memory = Buffer.alloc(Math.max(1, ...parts.map(({ length }) => length)))
  for (const part of parts) {
    memory.set(part)
    yield memory.subarray(0, part.length)
    memory.fill(ESC)
  }
}

export const FUZZ_MS = 1500 // per fuzz test; a slow machine does fewer rounds

/** Runs `round` on random streams until the time is over. */
export function fuzz(seed: number, round: (bytes: Uint8Array, random: Random) => void): void {
  const random = generator(seed)
  const started = performance.now()
  for (let rounds = 0; rounds < 8000 && performance.now() - started < FUZZ_MS; rounds++)
    round(randomStream(random), random)
}
