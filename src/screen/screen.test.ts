import { expect, test } from 'bun:test'
import { hasShownBlanks, stateOf } from '../../test/screens/state.ts'
import { Random, stream } from '../../test/screens/streams.ts'
import { shownBy } from '../../test/screens/tmux.ts'
import { inTurn } from '../vt/testing.ts'
import { insidesOf, Screen } from './screen.ts'

const SIZES: [[number, number], ...[number, number][]] = [
  [80, 24],
  [20, 6],
  [7, 3],
  [120, 40],
]
const CASES = Number(process.env.SCREEN_CASES ?? 120)
const SEED = Number(process.env.SCREEN_SEED ?? 1)

/** Two screens that should stay equal: one saw everything, the other was made from the first one's state. */
function pair(seed: number, remake: (first: Screen) => Screen, resize: boolean) {
  const random = new Random(seed)
  const [columns, rows] = random.of(SIZES)
  const bytes = stream(random, 5 + random.below(120), columns, rows)
  const rest = stream(random, random.below(60), columns, rows)
  const whole = new Screen(columns, rows, 30)
  whole.write(bytes.subarray(0, random.below(bytes.length + 1)))
  const remade = remake(whole)
  const check = (when: string) => {
    const [a, b] = [stateOf(whole), stateOf(remade)]
    if (!Bun.deepEquals(a, b)) throw new Error(`case ${seed}, ${when}: ${difference(a, b)}`)
  }
  check('at the cut')
  if (resize && !hasShownBlanks(whole)) {
    const size = random.of(SIZES)
    for (const screen of [whole, remade]) screen.resize(...size)
    check('resized')
  }
  // Pieces end anywhere.
  for (let at = 0; at < rest.length; ) {
    const end = at + 1 + random.below(40)
    for (const screen of [whole, remade]) screen.write(rest.subarray(at, end))
    at = end
  }
  check('at the end')
  whole.dispose()
  remade.dispose()
}

function difference(a: unknown, b: unknown, path = ''): string {
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const [x, y] = [Reflect.get(a, key), Reflect.get(b, key)]
      if (!Bun.deepEquals(x, y)) return difference(x, y, `${path}.${key}`)
    }
  }
  return `${path}\n${JSON.stringify(a)}\n${JSON.stringify(b)}`
}

const fromRender = (first: Screen) => {
  const { columns, rows } = first
  const second = new Screen(columns, rows, 30)
  second.write(first.render())
  return second
}
const fromSnapshot = (first: Screen) => Screen.restore(JSON.parse(JSON.stringify(first.snapshot())))

for (const [how, remake] of [
  ['render', fromRender],
  ['a snapshot', fromSnapshot],
] as const) {
  for (const resize of [false, true]) {
    test(`a screen from ${how}${resize ? ', resized,' : ''} goes on like the one it was made from`, () => {
      for (let i = 0; i < CASES; i++) pair(SEED * 1_000_000 + i, remake, resize)
      expect(true).toBe(true)
    })
  }
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function screenOf(text: string, columns = 20, rows = 5): Screen {
  const screen = new Screen(columns, rows)
  screen.write(bytesOf(text))
  return screen
}

test('no question, no bell and nothing that makes a terminal answer is ever written', () => {
  const random = new Random(7)
  for (let i = 0; i < 100; i++) {
    const screen = new Screen(80, 24)
    screen.write(stream(random, 80, 80, 24))
    // biome-ignore lint/complexity/useRegexLiterals: control characters are easier to read so
    const questions = new RegExp(
      '\x07|\x05|\x1b\\[[?>=]?[\\d;]*(c|n|\\$p|x|y|z)|\x1b\\[>\\d*q|\x1b\\[\\?u|\x1b\\[1[1-9]t|\x1bP|;\\?|\x1bZ',
    )
    // Disabling a key modifier ends in `n`, too.
    const text = textOf(screen.render()).replaceAll(/\x1b\[>\dn/g, '')
    const complete = text.slice(0, Math.max(0, text.lastIndexOf('\x1b')))
    expect(complete).not.toMatch(questions)
    screen.dispose()
  }
})

test('a stream goes on inside a sequence, a string and a character', () => {
  for (const [begun, rest] of [
    ['a\x1b[3', '1mred'],
    ['a\x1b]2;tit', 'le\x07b'],
    ['a\x1b]8;;http://x.ex', 'ample\x1b\\b'],
    ['a\x1bPq#0', ';2\x1b\\b'],
    ['a\x1b[1\r\n', ';4mb'],
  ] as const) {
    const whole = screenOf(begun)
    const second = fromRender(whole)
    for (const screen of [whole, second]) screen.write(bytesOf(rest))
    expect(stateOf(second)).toEqual(stateOf(whole))
  }
  const whole = new Screen(20, 5)
  const emoji = bytesOf('x😀y')
  whole.write(emoji.subarray(0, 3))
  const second = fromRender(whole)
  for (const screen of [whole, second]) screen.write(emoji.subarray(3))
  expect(stateOf(second)).toEqual(stateOf(whole))
})

test('the end of a string that is too long to be kept is swallowed', () => {
  const whole = screenOf(`\x1b]52;c;${'A'.repeat(3 << 20)}`)
  const rendered = whole.render()
  expect(rendered.length).toBeLessThan(100)
  const second = fromRender(whole)
  for (const screen of [whole, second]) screen.write(bytesOf('AAA\x07text'))
  expect(stateOf(second)).toEqual(stateOf(whole))
})

test('a program that asks for two thousand million of something gets a screenful', () => {
  const started = performance.now()
  const screen = screenOf('x')
  for (const final of 'ABCDEFGHIJKLMPSTXZ@`abdefgr') screen.write(bytesOf(`x\x1b[2147483647${final}`))
  expect(performance.now() - started).toBeLessThan(1000)
})

test('erasing above the last line of a full screen does not throw', () => {
  const screen = screenOf('\x1b[5;1H12345678901234567890\x1b[1Jok')
  expect(textOf(screen.render())).toContain('ok')
})

test('what was saved stays where it was on the screen while lines scroll away', () => {
  const screen = screenOf('\x1b[2;3H\x1b7\x1b[5;1H\n\n\n\x1b8here')
  expect(shownBy(screen)[1]).toContain('  here')
})

test('emoji are two columns wide, and marks join also when a sequence came between', () => {
  const screen = screenOf('😀|\r\ne\x1b[m\u0301|')
  expect(insidesOf(screen).core.buffers.active.x).toBe(2)
  expect(shownBy(screen)[0]).toBe('{[m}😀|')
  expect(shownBy(screen)[1]).toBe('{[m}e\u0301|')
})

test('no character is lost wherever a stream is cut', () => {
  const bytes = bytesOf('。é漢字😀\u0301かな\u0080。')
  const whole = screenOf(new TextDecoder().decode(bytes), 40)
  for (let at = 1; at < bytes.length; at++) {
    const cut = new Screen(40, 5)
    for (const piece of inTurn([bytes.subarray(0, at), bytes.subarray(at)])) cut.write(piece)
    expect(stateOf(cut)).toEqual(stateOf(whole))
  }
})

test('a character keeps the marks of any text there is, and no more', () => {
  const stack =
    'ཧ\u0fb3\u0fb4\u0fb5\u0fb6\u0fb7\u0fb8\u0fb9\u0fba\u0fbb\u0fbc\u0f71\u0f72\u0f74\u0f7a\u0f7b\u0f7c\u0f7d\u0f80'
  const flag = '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'
  expect(textOf(screenOf(`${stack}|${flag}|`).render())).toContain(stack)
  expect(textOf(screenOf(`${stack}|${flag}|`).render())).toContain(flag)
  const screen = screenOf(`a${'\u0301'.repeat(1000)}b`)
  expect(shownBy(screen)[0]).toBe(`{[m}a${'\u0301'.repeat(30)}b`)
})

test('a viewer gets the titles that the program has set, and no others', () => {
  const shown = (output: string) =>
    /(?:\x1b\]\d;[^\x1b]*\x1b\\|\x1b\[2[23];\dt)*/.exec(textOf(screenOf(output).render()))?.[0]
  expect(shown('\x1b]2;window\x07')).toBe('\x1b]2;window\x1b\\')
  expect(shown('\x1b]1;icon\x07')).toBe('\x1b]1;icon\x1b\\')
  expect(shown('\x1b]0;both\x07')).toBe('\x1b]0;both\x1b\\')
  expect(shown('\x1b]0;both\x07\x1b]2;window\x07')).toBe('\x1b]2;window\x1b\\\x1b]1;both\x1b\\')
  expect(shown('text')).toBe('')
  expect(shown('\x1b[22;0t\x1b]2;editor\x07')).toBe('\x1b[22;0t\x1b]2;editor\x1b\\')
  expect(shown('\x1b[22;0t\x1b]2;editor\x07\x1b[23;0t')).toBe('')
  expect(shown('\x1b]2;\x07')).toBe('\x1b]2;\x1b\\')
})

test('a string that is longer than a viewer lets through is left out, and the next one is not', () => {
  const { extras } = insidesOf(screenOf(`\x1b]2;${'x'.repeat(9000)}\x07\x1b]1;icon\x07\x1b]4;1;#fff\x07`))
  expect(extras.title).toEqual({ window: undefined, icon: 'icon' })
  expect([...extras.colors]).toEqual([['4;1', '#fff']])
})

test.each([
  ['\x1b[?3h', 'new'],
  ['\x1b[?3l', 'new'],
  ['\x1b[?40h\x1b[?25;3h', 'new'],
  ['\x1b[?3;4l', 'oldnew'],
])('a change of columns clears the screen: %j', (columns, shown) => {
  using screen = new Screen(20, 6)
  screen.write(Buffer.from(`\x1b[2;4r\x1b[6;1Hstale\x1b[1;1Hold${columns}new`))
  const [first, ...rest] = shownBy(screen)
  expect(first).toBe(`{[m}${shown}`)
  expect(rest.join('')).toBe(shown === 'new' ? '' : '{[m}stale')
  expect(insidesOf(screen).core.buffers.normal.scrollTop).toBe(shown === 'new' ? 0 : 1)
})
