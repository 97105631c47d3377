/** Made-up output of programs, from a seed: every sequence that a terminal understands, in any order. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 up to but not including `end` (mulberry32). */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  of<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0]
  }
}

const TEXTS = [
  ...['hello', 'a', 'The quick brown fox jumps over the lazy dog. ', 'x', '    ', 'qqqlkjx', '~!@#$[]{}|\\'],
  ...[
    '漢字',
    'かな',
    '한글',
    'wide漢',
    'e\u0301',
    'n\u0303o',
    '\u0301',
    '😀',
    '👩‍💻',
    '🇩🇪',
    '❤️',
    'नि',
    '─│┌',
    '\u00ad',
    'ä',
  ],
] as const
const SGR = [
  ...[
    '',
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
    '7',
    '8',
    '9',
    '21',
    '22',
    '23',
    '24',
    '25',
    '27',
    '28',
    '29',
    '53',
    '55',
  ],
  ...[
    '31',
    '32',
    '39',
    '41',
    '49',
    '44',
    '95',
    '103',
    '38;5;200',
    '48;5;17',
    '38;5;3',
    '38;2;1;2;3',
    '48;2;9;8;7',
  ],
  ...['4:3', '4:2', '4:5', '58:5:9', '58:2::1:2:3', '59', '1;31;42', '38:2::5:6:7', '0;7'],
] as const
const MODES = [
  ...[1, 5, 6, 7, 9, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016],
  ...[2004, 2026, 2031, 2048],
] as const
const WORDS = [
  ...[
    '\x1b=',
    '\x1b>',
    '\x1b7',
    '\x1b8',
    '\x1bD',
    '\x1bM',
    '\x1bE',
    '\x1bH',
    '\x1b#8',
    '\x0e',
    '\x0f',
    '\x1bn',
    '\x1bo',
  ],
  ...[
    '\x1b(0',
    '\x1b(B',
    '\x1b)0',
    '\x1b)B',
    '\x1b*0',
    '\x1b(A',
    '\x1b[s',
    '\x1b[u',
    '\x1b[!p',
    '\x1b[4h',
    '\x1b[4l',
  ],
  ...[
    '\x1b[20h',
    '\x1b[20l',
    '\x1b[c',
    '\x1b[6n',
    '\x1b[>q',
    '\x1b]11;?\x07',
    '\x1b[?2026$p',
    '\x07',
    '\x1bc',
    '\x7f',
  ],
  ...[
    '\x1bP$qm\x1b\\',
    '\x1b_ignored\x1b\\',
    '\x1b[?u',
    '\x1b[22;0t',
    '\x1b[23;0t',
    '\x1b[14t',
    '\x1b[3g',
    '\x1b[0g',
  ],
  ...['\x1b[1"q', '\x1b[0"q', '\x9b1m', '\x18', '\x1bPq#0;2;0\x1b\\', '\xc2\x9b31m'],
] as const
const COMMANDS = [
  ...[
    '0;title',
    '2;window ü',
    '1;icon',
    '4;1;rgb:ff/00/00',
    '4;5;#123456',
    '104',
    '104;1',
    '10;#ffffff',
    '11;red',
  ],
  ...[
    '12;rgb:1/2/3',
    '110',
    '112',
    '8;;http://a.example/',
    '8;id=x;http://b.example/',
    '8;;',
    '52;c;aGk=',
    '9;hi',
  ],
] as const
const KEYBOARD = [
  '>1u',
  '>5u',
  '<u',
  '<2u',
  '=3;1u',
  '=8;2u',
  '=1;3u',
  '>4;2m',
  '>4m',
  '>4n',
  '>1;3m',
  '2 q',
  '6 q',
] as const

/** One word of such a stream. */
export function word(random: Random, columns: number, rows: number): string {
  const n = (end: number) => (random.below(8) === 0 ? '' : String(random.below(end + 2)))
  const kind = random.below(100)
  if (kind < 30) return random.of(TEXTS)
  if (kind < 38) return random.of(['\r\n', '\n', '\r', '\b', '\t', '\r\n'])
  if (kind < 50) return `\x1b[${random.of(SGR)}m`
  if (kind < 58) return `\x1b[${n(rows)};${n(columns)}H`
  if (kind < 66) return `\x1b[${n(columns)}${random.of([...'ABCDEFGIZ`ade'] as ['A', ...string[]])}`
  if (kind < 74) return `\x1b[${n(5)}${random.of([...'@LMPSTXbJKJK'] as ['@', ...string[]])}`
  if (kind < 76) return `\x1b[?${n(2)}${random.of(['J', 'K'])}`
  if (kind < 79) return `\x1b[${n(rows)};${n(rows)}r`
  if (kind < 83) return `\x1b[?${random.of(MODES)}${random.of(['h', 'h', 'l'])}`
  if (kind < 85) return `\x1b[?${random.of([47, 1047, 1049, 1049, 1048])}${random.of(['h', 'l'])}`
  if (kind < 88) return `\x1b]${random.of(COMMANDS)}${random.of(['\x07', '\x1b\\'])}`
  if (kind < 91) return `\x1b[${random.of(KEYBOARD)}`
  if (kind < 93) return 'long line '.repeat(random.below(30))
  return random.of(WORDS)
}

export function stream(random: Random, words: number, columns: number, rows: number): Uint8Array {
  let text = ''
  for (let i = 0; i < words; i++) text += word(random, columns, rows)
  return new TextEncoder().encode(text)
}
