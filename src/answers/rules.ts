/**
 * The questions that programs ask their terminal, and the answers of coop: the one table from which the daemon answers
 * while nobody is attached, from which the client knows which of them its terminal will answer, and from which
 * `npm run docs` prints docs/terminal-questions.md.
 *
 * An answer becomes the program's input. So it is made of numbers, fixed words, and hexadecimal digits that were checked:
 * nothing that the program chose is sent back as text (CVE-2008-2383, CVE-2003-0063, CVE-2022-45063).
 */
import { VERSION } from '../core/version.ts'
import { isStatusQuery } from '../vt/program-status.ts'
import { key, type Sequence } from '../vt/sequence.ts'
import { CAPABILITY, graphicsAnswer, SETTING } from '../vt/string-rules.ts'
import { capabilities } from './capabilities.ts'
import { colorToTell, isDark } from './colors.ts'
import type { Answerer, Facts, Rule, TerminalState } from './rule.ts'

const ST = '\x1b\\'

/** The keys of all CSI that are questions: nearly all CSI are none, and there are millions. */
const CSI_KEYS = new Set<number>()

function csi(
  name: string,
  wanted: (numbers: readonly number[], parameters: string) => boolean = () => true,
): (sequence: Sequence) => boolean {
  const id = key(name)
  CSI_KEYS.add(id)
  return (sequence) =>
    sequence.kind === 'csi' &&
    sequence.key === id &&
    !sequence.malformed &&
    wanted(sequence.numbers, sequence.parameters)
}

const first =
  (...numbers: readonly number[]) =>
  ([number = 0]: readonly number[]): boolean =>
    numbers.includes(number)

/** An answer has more parameters: where the terminal echoes it, it must not be a question again. */
const zero = (_: readonly number[], parameters: string): boolean => parameters === '' || parameters === '0'

const osc =
  (pattern: RegExp) =>
  (sequence: Sequence): boolean =>
    sequence.kind === 'osc' && !sequence.malformed && pattern.test(sequence.text)

type Test = (sequence: Sequence) => boolean

const any =
  (...tests: readonly Test[]): Test =>
  (sequence) =>
    tests.some((test) => test(sequence))

/** The end of an answer is the end of its question: old programs know only BEL. */
const endOf = ({ raw }: Sequence): string => (raw.at(-1) === 7 ? '\x07' : ST)

/** The answers to all colours that one sequence asks for. */
function told(
  sequence: Sequence,
  asked: readonly (readonly [name: string, value: string | undefined])[],
  { colors }: Facts,
  state?: TerminalState,
): string | undefined {
  const answers = asked.flatMap(([name, value]) => {
    const color = value === '?' ? colorToTell(name, state?.color(name), colors) : undefined
    return color === undefined ? [] : [`\x1b]${name};${color}${endOf(sequence)}`]
  })
  return answers.length ? answers.join('') : undefined
}

/** Each value of OSC 10 to 19 is for the next number. */
const dynamicAsked = (text: string) => {
  const [number = '', ...values] = text.split(';')
  return values.map((value, at) => [String(Number(number) + at), value] as const)
}

const paletteAsked = (text: string) => {
  const parts = text.split(';').slice(1)
  return Array.from(
    { length: parts.length >> 1 },
    (_, at) => [`4;${Number(parts[2 * at])}`, parts[2 * at + 1]] as const,
  )
}

/** 1: set, 2: reset, 0: not known. */
const modeReport = (mark: string, mode: number, isSet: boolean | undefined): string =>
  `\x1b[${mark}${mode};${isSet === undefined ? 0 : isSet ? 1 : 2}$y`

function setting(text: string, state: TerminalState): string {
  const values: Readonly<Record<string, () => string>> = {
    m: () => state.pen,
    r: () => state.margins.join(';'),
    s: () => `1;${state.size.columns}`,
    ' q': () => String(state.cursorStyle),
    '"q': () => (state.isProtecting ? '1' : '0'),
    '"p': () => '62;1',
  }
  const value = Object.hasOwn(values, text) ? values[text]?.() : undefined
  return value === undefined ? `\x1bP0$r${ST}` : `\x1bP1$r${value}${text}${ST}`
}

export const RULES: readonly Rule[] = [
  {
    name: 'DA1, kind of terminal',
    form: 'CSI c',
    says: 'a VT220 with colours: `CSI ? 62 ; 22 c`',
    attached: 'terminal',
    asks: csi('c', zero),
    reply: /^\x1b\[\?[\d;]*c$/,
    answer: () => '\x1b[?62;22c',
  },
  {
    name: 'DA2, version',
    form: 'CSI > c',
    says: "an xterm's of 2011, whose abilities all terminals have: `CSI > 0 ; 277 ; 0 c`",
    attached: 'terminal',
    asks: csi('>c', zero),
    reply: /^\x1b\[>[\d;]*c$/,
    answer: () => '\x1b[>0;277;0c',
  },
  {
    name: 'DA3, serial number',
    form: 'CSI = c',
    says: 'zeros: `DCS ! | 00000000 ST`',
    attached: 'terminal',
    asks: csi('=c', zero),
    reply: /^\x1bP!\|/,
    answer: () => `\x1bP!|00000000${ST}`,
  },
  {
    name: 'XTVERSION, name and version',
    form: 'CSI > q',
    says: '`coop` and its version: `DCS > | coop(…) ST`',
    attached: 'terminal',
    asks: csi('>q', zero),
    reply: /^\x1bP>\|/,
    answer: () => `\x1bP>|coop(${VERSION})${ST}`,
  },
  {
    name: 'DSR, are you well',
    form: 'CSI 5 n',
    says: 'yes: `CSI 0 n`',
    attached: 'terminal',
    asks: csi('n', first(5)),
    reply: /^\x1b\[[03]n$/,
    answer: () => '\x1b[0n',
  },
  {
    name: 'CPR, place of the cursor',
    form: 'CSI 6 n',
    says: 'the place on the screen that the daemon keeps',
    attached: 'terminal',
    asks: csi('n', first(6)),
    reply: /^\x1b\[\d+;\d+R$/,
    fromState: (_, { cursor }) => `\x1b[${cursor.row};${cursor.column}R`,
  },
  {
    name: 'DECXCPR, place of the cursor',
    form: 'CSI ? 6 n',
    says: 'the same, with the page 1',
    attached: 'terminal',
    asks: csi('?n', first(6)),
    reply: /^\x1b\[\?[\d;]+R$/,
    fromState: (_, { cursor }) => `\x1b[?${cursor.row};${cursor.column};1R`,
  },
  {
    name: 'dark or light',
    form: 'CSI ? 996 n',
    says: 'by the background that OSC 11 tells: `CSI ? 997 ; 1 n` (dark) or `2 n`',
    attached: 'terminal',
    asks: csi('?n', first(996)),
    reply: /^\x1b\[\?997;[12]n$/,
    fromState: (_, state, { colors }) =>
      `\x1b[?997;${isDark(colorToTell('11', state.color('11'), colors) ?? '') ? 1 : 2}n`,
  },
  {
    name: 'DECRQM, a private mode',
    form: 'CSI ? MODE $ p',
    says: 'set or reset, as the program left it; not known, for modes that not every terminal has (1016, 2027, 2048 and others)',
    attached: 'terminal',
    asks: csi('?$p'),
    reply: /^\x1b\[\?\d+;\d\$y$/,
    fromState: ({ numbers: [mode = 0] }, state) => modeReport('?', mode, state.privateMode(mode)),
  },
  {
    name: 'DECRQM, an ANSI mode',
    form: 'CSI MODE $ p',
    says: 'the same; known are 4 and 20',
    attached: 'terminal',
    asks: csi('$p'),
    reply: /^\x1b\[\d+;\d\$y$/,
    fromState: ({ numbers: [mode = 0] }, state) => modeReport('', mode, state.ansiMode(mode)),
  },
  {
    name: 'keyboard of kitty',
    form: 'CSI ? u',
    says: 'the flags that the program has set: so it learns that it may set some',
    attached: 'terminal',
    // An answer has parameters: where the terminal echoes it, it must not be a question again.
    asks: csi('?u', (_, parameters) => parameters === ''),
    reply: /^\x1b\[\?\d+u$/,
    fromState: (_, { keyboard }) => `\x1b[?${keyboard}u`,
  },
  {
    name: 'XTQMODKEYS, modifyOtherKeys',
    form: 'CSI ? 4 m',
    says: 'the value that the program has set: `CSI > 4 ; VALUE m`',
    attached: 'terminal',
    asks: csi('?m', first(4)),
    reply: /^\x1b\[>4(?:;\d*)?m$/,
    fromState: (_, { modifyOtherKeys }) => `\x1b[>4;${modifyOtherKeys}m`,
  },
  {
    name: 'size in pixels',
    form: 'CSI 14 t',
    says: 'the size that TIOCGWINSZ tells: of the last window with pixels, else 0',
    attached: 'terminal',
    asks: csi('t', first(14)),
    reply: /^\x1b\[4;\d+;\d+t$/,
    fromState: (_, { size }) => `\x1b[4;${size.height ?? 0};${size.width ?? 0}t`,
  },
  {
    name: 'size of a character in pixels',
    form: 'CSI 16 t',
    says: 'the same size, divided by rows and columns',
    attached: 'terminal',
    asks: csi('t', first(16)),
    reply: /^\x1b\[6;\d+;\d+t$/,
    fromState: (_, { size }) =>
      `\x1b[6;${Math.floor((size.height ?? 0) / size.rows)};${Math.floor((size.width ?? 0) / size.columns)}t`,
  },
  {
    name: 'size in characters',
    form: 'CSI 18 t',
    says: 'the size that TIOCGWINSZ tells',
    attached: 'terminal',
    asks: csi('t', first(18)),
    reply: /^\x1b\[8;\d+;\d+t$/,
    fromState: (_, { size }) => `\x1b[8;${size.rows};${size.columns}t`,
  },
  {
    name: 'size of the monitor in characters',
    form: 'CSI 19 t',
    says: 'the size of the terminal: there is no larger one',
    attached: 'terminal',
    asks: csi('t', first(19)),
    reply: /^\x1b\[9;\d+;\d+t$/,
    fromState: (_, { size }) => `\x1b[9;${size.rows};${size.columns}t`,
  },
  {
    name: 'XTSMGRAPHICS, limits of images',
    form: 'CSI ? ITEM ; 1 S',
    says: 'a failure: there are no images while nobody looks',
    attached: 'terminal',
    asks: csi('?S', ([, how]) => how === 1 || how === 4),
    reply: /^\x1b\[\?[\d;]+S$/,
    answer: ({ numbers: [item = 0] }) => `\x1b[?${item % 10};3;0S`,
  },
  {
    name: 'colours of text, background, cursor, selection',
    form: 'OSC 10 ; ? … OSC 19 ; ?',
    says: "the program's own, else those of the last terminal that told them, else white on black",
    attached: 'terminal',
    asks: osc(/^1[01279];(?:[^;]*;)*\?(?:;|$)/),
    reply: /^\x1b\]1\d;rgb/,
    fromState: (sequence, state, facts) => told(sequence, dynamicAsked(sequence.text), facts, state),
  },
  {
    name: 'colours of the palette',
    form: 'OSC 4 ; NUMBER ; ?',
    says: 'the same; else those of xterm',
    attached: 'terminal',
    asks: osc(/^4(?:;\d{1,3};[^;]*)*;\d{1,3};\?(?:;|$)/),
    reply: /^\x1b\]4;\d+;rgb/,
    fromState: (sequence, state, facts) => told(sequence, paletteAsked(sequence.text), facts, state),
  },
  {
    name: 'DECRQSS, a setting',
    form: 'DCS $ q SETTING ST',
    says: 'the value of `m`, `r`, `s`, `SP q`, `" q`, `" p`; for all others a failure without their text',
    attached: 'terminal',
    asks: ({ kind, key: id, malformed }) => kind === 'dcs' && id === SETTING && !malformed,
    reply: /^\x1bP[01]\$r/,
    fromState: (sequence, state) => setting(sequence.text, state),
  },
  {
    name: 'XTGETTCAP, capabilities',
    form: 'DCS + q NAMES ST',
    says: 'the name xterm-256color, 256 colours, direct colours and some more, in hexadecimal digits; for all others a failure',
    attached: 'terminal',
    asks: ({ kind, key: id, malformed }) => kind === 'dcs' && id === CAPABILITY && !malformed,
    reply: /^\x1bP[01]\+r/,
    answer: ({ text }) => capabilities(text),
  },
  {
    name: 'reports of what the program is doing',
    form: 'OSC 7501 ; ?',
    says: 'the same: coop reads the reports, for its listings, events and notifications',
    attached: 'coop',
    asks: ({ kind, malformed, text }) => kind === 'osc' && !malformed && isStatusQuery(text),
    reply: /^\x1b\]7501;\?/,
    answer: (sequence) => `\x1b]7501;?${endOf(sequence)}`,
  },
  {
    name: 'abilities of kitty: images, pointer shapes',
    form: 'APC G a=q … ST, APC G i=… ST, OSC 22 ; ? …',
    says: 'nothing, as terminals without them: programs ask DA1 after it and go on',
    attached: 'terminal',
    asks: any(
      ({ kind, text }) =>
        kind === 'apc' && text.startsWith('G') && graphicsAnswer(text.split(';', 1)[0] ?? ''),
      osc(/^22;\?/),
    ),
    reply: /^\x1b(?:_G|\]22;)/,
  },
  {
    name: 'the clipboard, the title, the text on the screen, the place of the window',
    form: 'OSC 52 ; c ; ?, CSI 21 t, CSI … * y, CSI 13 t and others',
    says: 'nothing',
    attached: 'nobody',
    asks: any(
      osc(/^52;[^;]*;\?/),
      csi('*y'),
      csi('t', first(11, 13, 15, 20, 21)),
      csi('?n', (numbers) => !first(6, 996)(numbers)),
    ),
  },
]

/** Who answers while one client or several are attached, in words for the docs. */
export const WHO: Readonly<Record<Answerer, { readonly one: string; readonly more: string }>> = {
  terminal: { one: 'its terminal', more: 'the terminal of one of them' },
  coop: { one: 'coop, as while nobody is attached', more: 'coop, once' },
  nobody: { one: 'nobody', more: 'nobody' },
}

/** The rule about a sequence; undefined if it is no question. */
export function ruleOf(sequence: Sequence): Rule | undefined {
  const { kind } = sequence
  if (kind === 'esc' || kind === 'title' || (kind === 'csi' && !CSI_KEYS.has(sequence.key))) return undefined
  return RULES.find((rule) => rule.asks(sequence))
}
