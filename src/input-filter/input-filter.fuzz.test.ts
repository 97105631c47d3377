/** The filter against a naive one that sees all input at once, for a fixed seed and within a time box. */
import { expect, test } from 'bun:test'
import { HOLD_MS } from './input-filter.ts'
import { PASTE_PAUSE_MS } from './keys.ts'
import { Desk } from './testing.ts'

const SEED = 20_261_128
const TIME_BOX_MS = 2_000
const MIN_ROUNDS = 200

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Input up to a pause, and the pause after it. */
interface Part {
  readonly text: string
  readonly pause: number
}

const WORDS = ['exit', '/exit', 'quit', '/quit', 'ex', 'it', '/', 'q', 'uit', 'x', ' ', 'foo', 'é', '👍']
const ENTERS = ['\r', '\n', '\x1b\r', '\x1b\n', '\x1bOM', '\x1b[13u', '\x1b[13;2u', '\x1b[57414u']
const KEYS = [
  ...['\x04', '\x1c', '\x03', '\x03', '\x1b[100;5u', '\x1b[99;5u', '\x1b[27;5;92~', '\x1b[100;5:3u'],
  ...['\x7f', '\x08', '\x15', '\x17', '\x01', '\x05', '\x0b', '\x02', '\x06', '\x10', '\x0c', '\t'],
  ...[
    '\x1b[D',
    '\x1b[C',
    '\x1bOD',
    '\x1b[A',
    '\x1b[H',
    '\x1b[F',
    '\x1b[3~',
    '\x1bb',
    '\x1bf',
    '\x1bd',
    '\x1b\x7f',
  ],
  ...[
    '\x1b',
    '\x1b[',
    '\x1b[1',
    '\x1bO',
    '\x1b[M !"',
    '\x1b[M',
    '\x1b[<0;1;1M',
    '\x1b[I',
    '\x1b[Z',
    '\x1b[5~',
  ],
  ...[
    '\x1b[200~',
    '\x1b[201~',
    '\x1b[20',
    '\x1b[101u',
    '\x1b[116;;116u',
    '\x1b[9u',
    '\x1b[127;5u',
    'ab',
    'b',
  ],
]
const SEQUENCES = ['ab', 'abab', 'xit', '\x1b[A', '\x1b[1;5A', '\x03', 'b\x04', 'é', '\r', '\x1b', 'aab']

/** What the filter should do, with the whole input before it: simple, and slow. */
function naive(parts: readonly Part[], sequences: readonly string[], debounce: number): string {
  const blocked = sequences.map((sequence) => Buffer.from(sequence).toString('latin1'))
  let passed = ''
  let open = '' // passed by the keys' rules, not yet released
  let lines = new Set(['|'])
  let time = 0
  let interrupted = Number.NEGATIVE_INFINITY
  let pasting = false
  let pastedAt = 0

  const block = (byte: string): void => {
    open += byte
    const seen = passed + open
    const found = blocked.filter((sequence) => seen.endsWith(sequence)).sort((a, b) => b.length - a.length)[0]
    if (found) open = open.slice(0, Math.max(0, open.length - found.length))
    while (open && !isStart(passed + open)) {
      passed += open[0]
      open = open.slice(1)
    }
  }
  /** Whether the first open byte belongs to something that may become a sequence. */
  const isStart = (seen: string): boolean => {
    for (let from = 0; from <= seen.length - open.length; from++)
      if (
        blocked.some(
          (sequence) => sequence.length > seen.length - from && sequence.startsWith(seen.slice(from)),
        )
      )
        return true
    return false
  }

  for (const { text, pause } of parts) {
    let rest = Buffer.from(text).toString('latin1')
    if (pasting && rest) {
      if (time - pastedAt >= PASTE_PAUSE_MS) pasting = false
      pastedAt = time
    }
    while (rest) {
      const [bytes, edits] = pasting ? nextPasted(rest) : nextKey(rest)
      rest = rest.slice(bytes.length)
      if (edits === 'paste') {
        pasting = true
        pastedAt = time
      }
      if (edits === 'end of paste') pasting = false
      if (edits === 'held') continue
      if (edits === 'interrupt') {
        const since = time - interrupted
        interrupted = time
        if (since < debounce) continue
      }
      if (edits === 'enter' && [...lines].some(ends)) continue
      if (edits === 'enter') lines = new Set(['|'])
      else if (edits === 'interrupt' || edits === 'other') lines.add('|')
      else if (typeof edits !== 'string') lines = new Set([...lines].flatMap(edits))
      for (const byte of bytes) block(byte)
    }
    time += pause
    if (pause >= HOLD_MS) {
      passed += open
      open = ''
    }
  }
  return passed
}

/** Completions are written as `~`, characters of several bytes as `#`. */
function ends(line: string): boolean {
  const text = line.replace('|', '').trim().toLowerCase()
  if (!text.includes('~')) return ['exit', '/exit', 'quit', '/quit'].includes(text)
  const typed = text.replace(/\s*~\s*/g, '~')
  if (typed.replaceAll('~', '').length < 2) return false
  const pattern = typed.replace(/[^a-z~]/g, '\\$&').replaceAll('~', '.*')
  return ['exit', '/exit', 'quit', '/quit'].some((word) => new RegExp(`^${pattern}$`).test(word))
}

type Edits =
  | 'held'
  | 'interrupt'
  | 'enter'
  | 'other'
  | 'nothing'
  | 'paste'
  | 'end of paste'
  | ((line: string) => string[])

const typed = (text: string): Edits => {
  const shown = text.replace(/[\xc0-\xff][\x80-\xbf]*/g, '#').replace(/[\x80-\xbf]/g, '')
  return (line) => [line.replace('|', () => `${shown}|`)]
}
const edit =
  (...changes: readonly (readonly [RegExp, string])[]): Edits =>
  (line) =>
    changes.map(([from, to]) => line.replace(from, to))

const COMPLETE = (line: string): string[] => [
  /~\|?$/.test(line.replace('|', '')) ? line : line.replace('|', '~|'),
]
const COMPLETE_AT_END = (line: string): string[] => (line.endsWith('~|') ? [line] : [line.replace('|', '~|')])
const LEFT = edit([/(.)\|/s, '|$1'])
const RIGHT: Edits = (line) => (line.endsWith('|') ? COMPLETE_AT_END(line) : [line.replace(/\|(.)/s, '$1|')])
const END: Edits = (line) => (line.endsWith('|') ? COMPLETE_AT_END(line) : [`${line.replace('|', '')}|`])
const HOME = edit([/(.*)\|/s, '|$1'])
const BACK: Edits = (line) => {
  if (/~\|/.test(line)) return [line.replace('~|', '|'), line.replace(/.?~\|/s, '|'), line]
  return /#\|/.test(line) ? [line.replace('#|', '|'), line.replace(/#+\|/, '|')] : [line.replace(/.\|/s, '|')]
}
const BACK_WORD = edit([/[^\s]*\s*\|/, '|'], [/\w*[^\w|]*\|/, '|'])
const BYTES: Readonly<Record<string, Edits>> = {
  ...{ '\x04': 'held', '\x1c': 'held', '\x03': 'interrupt', '\r': 'enter', '\n': 'enter' },
  ...{ '\x7f': BACK, '\x08': BACK, '\x17': BACK_WORD, '\x0c': 'nothing', '\t': COMPLETE },
  '\x15': (line) => [line.replace(/.*\|/s, '|'), '|'],
  ...{ '\x01': HOME, '\x05': END, '\x02': LEFT, '\x06': RIGHT },
  '\x0b': edit([/\|.*/s, '|']),
}
const LONGER: readonly (readonly [string, Edits])[] = [
  ...ENTERS.filter(({ length }) => length > 1).map((enter): [string, Edits] => [enter, 'enter']),
  ...['\x1b[100;5u', '\x1b[27;5;92~', '\x1b[100;5:3u'].map((key): [string, Edits] => [key, 'held']),
  ...[
    ...[
      ['\x1b[99;5u', 'interrupt'],
      ['\x1b[200~', 'paste'],
      ['\x1b[101u', typed('e')],
    ],
    ...[
      ['\x1b[116;;116u', typed('t')],
      ['\x1b[9u', COMPLETE],
      ['\x1b[127;5u', BACK_WORD],
    ],
    ...[
      ['\x1b[D', LEFT],
      ['\x1bOD', LEFT],
      ['\x1b[C', RIGHT],
      ['\x1b[H', HOME],
      ['\x1b[F', END],
    ],
    ...[
      ['\x1b[3~', edit([/\|./s, '|'])],
      ['\x1b\x7f', BACK_WORD],
    ],
    ['\x1bb', edit([/([^\s]*\s*)\|/, '|$1'], [/(\w*[^\w|]*)\|/, '|$1'])],
    ['\x1bd', edit([/\|\s*[^\s]*/, '|'], [/\|\W*\w*/, '|'])],
    [
      '\x1bf',
      (line: string) => [
        line.replace(/\|(\s*[^\s]*)/, '$1|'),
        line.replace(/\|(\W*\w*)/, '$1|'),
        ...(line.endsWith('|') ? COMPLETE_AT_END(line) : [line.replace(/\|(.)/s, '$1|')]),
      ],
    ],
    ...[
      ['\x1b[I', 'nothing'],
      ['\x1b[Z', 'nothing'],
      ['\x1b[201~', 'other'],
    ],
  ].map(([key, edits]) => [key, edits] as [string, Edits]),
]

function nextKey(rest: string): readonly [string, Edits] {
  const known = LONGER.find(([key]) => rest.startsWith(key))
  if (known) return known
  const mouse = /^\x1b\[M[ -\xff]{0,3}/.exec(rest) ?? /^\x1b\[[<>?=][0-?]*[ -/]*[@-~]/.exec(rest)
  if (mouse) return [mouse[0], 'nothing']
  const sequence = /^\x1b\[[0-?]*[ -/]*[@-~]/.exec(rest)
  if (sequence) return [sequence[0], meaningOf(sequence[0])]
  const keypad = /^\x1bO([j-y])/.exec(rest)
  if (keypad?.[1]) return [keypad[0], typed(String.fromCharCode(keypad[1].charCodeAt(0) - 0x40))]
  const broken = /^\x1b(?:\[[ -?]*|O[^\x00-\x1f\x7f]?|[^\x00-\x1f\x7f[O][\x80-\xbf]*)/.exec(rest)
  if (broken) {
    // Only characters of several bytes are taken whole.
    const [all] = broken
    return [/^\x1b[\x00-\xbf]/.test(all) && !/^\x1b[[O]/.test(all) ? all.slice(0, 2) : all, 'other']
  }
  if (rest[0] === '\x1b') return rest[1] === '\t' || rest[1] === '\x08' ? escaped(rest) : ['\x1b', 'other']
  const text = /^[^\x00-\x1f\x7f]+/.exec(rest)
  if (text) return [text[0], typed(text[0])]
  return [rest.slice(0, 1), BYTES[rest.slice(0, 1)] ?? 'other']
}

const escaped = (rest: string): readonly [string, Edits] => [
  rest.slice(0, 2),
  rest[1] === '\x08' ? BACK_WORD : 'other',
]

/** Sequences that grow out of two pieces of the fuzzer. */
function meaningOf(sequence: string): Edits {
  const [, parameters = '', between, final = ''] = /^\x1b\[([0-?]*)([ -/]*)(.)$/.exec(sequence) ?? []
  if (between) return 'other'
  if (/[IOcRnytmMZ]/.test(final)) return 'nothing'
  const arrows: Readonly<Record<string, Edits>> = { C: RIGHT, D: LEFT, H: HOME, F: END }
  if (final === '~')
    return { 1: HOME, 3: edit([/\|./s, '|']), 4: END, 7: HOME, 8: END }[parameters] ?? 'other'
  return arrows[final] ?? 'other'
}

function nextPasted(rest: string): readonly [string, Edits] {
  if (rest.startsWith('\x1b[201~')) return ['\x1b[201~', 'end of paste']
  const byte = rest.slice(0, 1)
  if (byte === '\x04' || byte === '\x1c') return [byte, 'held']
  if (byte === '\x03') return [byte, 'interrupt']
  if (byte === '\r' || byte === '\n') return [byte, typed('\n')]
  if (byte === '\t') return [byte, typed(' ')]
  if (byte === '\x1b' || byte === '\x7f' || byte === '\x08') return [byte, typed(byte)]
  const text = /^[^\x00-\x1f\x7f]+/.exec(rest)
  if (text) return [text[0], typed(text[0])]
  return [byte, BYTES[byte] ?? 'other']
}

test('it does what a naive one does, wherever the input is split', () => {
  const next = random(SEED)
  const below = (count: number): number => Math.floor(next() * count)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const until = performance.now() + TIME_BOX_MS
  let rounds = 0
  let reasons = 0
  for (; rounds < MIN_ROUNDS || performance.now() < until; rounds++) {
    const sequences = next() < 0.5 ? [] : Array.from({ length: 1 + below(3) }, () => pick(SEQUENCES))
    const debounce = pick([0, 100, 500])
    const parts = Array.from({ length: 1 + below(4) }, (): Part => {
      const pieces = Array.from({ length: below(7) }, () =>
        pick([WORDS, ENTERS, KEYS, KEYS][below(4)] ?? KEYS),
      )
      return { text: pieces.join(''), pause: pick([HOLD_MS, 99, 100, 499, 500, PASTE_PAUSE_MS]) }
    })
    const desk = new Desk({ sequences, debounce })
    for (const { text, pause } of parts) {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + below(next() < 0.5 ? 2 : bytes.length)
        desk.type(bytes.subarray(at, at + size))
        at += size
      }
      desk.wait(pause)
    }
    const about = JSON.stringify({ sequences, debounce, parts })
    const all = parts.map(({ text }) => text).join('')
    expect([about, Buffer.concat(desk.pieces.map(({ bytes }) => bytes))]).toEqual([about, Buffer.from(all)])
    const passed = Buffer.concat(desk.pieces.flatMap(({ bytes, held }) => (held ? [] : [bytes])))
    expect([about, passed.toString('latin1')]).toEqual([about, naive(parts, sequences, debounce)])
    reasons += desk.reasons.length
  }
  expect(reasons).toBeGreaterThan(rounds / 4) // it does hold back
})
