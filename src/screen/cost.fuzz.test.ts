/**
 * The worst costs of output: time and memory of each kind of sequence with the largest parameters, alone and mixed, on
 * small and large screens. Times count this process alone, because test machines also do other work.
 */
import { expect, test } from 'bun:test'
import { Random } from '../../test/screens/streams.ts'
import { pieceEnd, wholeCharacters } from './cost.ts'
import { Screen } from './screen.ts'

const SEED = Number(process.env.SCREEN_SEED ?? 1)
const HUGE = '2147483647'
const MARK = '\u0301'
const csi = (rest: string) => `\x1b[${rest}`
const many = (text: string, count: number) => Array<string>(count).fill(text).join(';')
const letters = (from: string) => [...from]

/** Sequences by kind. The counter makes each one different (links, titles, key resources). */
const KINDS: Readonly<Record<string, (i: number) => string>> = {
  text: () => 'The quick brown fox jumps over the lazy dog. ',
  'wide text': () => '漢字かな',
  emoji: () => '👩‍💻🏴\u{e0067}\u{e0062}',
  'marks in one cell': () => `a${MARK.repeat(500)}`,
  'marks in every cell': () => `a${MARK.repeat(30)}`,
  'marks of two units': () => `a${'\u{11038}'.repeat(40)}`,
  'line feeds': () => '\n',
  'line feeds in a region': () => `${csi('2r')}${csi('9999H')}${'\n'.repeat(50)}`,
  'line feeds in a region at the top': () => `${csi('1;5r')}${csi('5H')}${'\n'.repeat(50)}`,
  'tabs without stops': () => `${csi('3g')}${'\t\r'.repeat(50)}`,
  'a repeated character': () => `a${csi(`${HUGE}b`)}`,
  'a repeated wide one': () => `漢${csi(`${HUGE}b`)}`,
  'one with marks, repeated': () => `a${MARK.repeat(40)}${csi(`${HUGE}b`)}`,
  'repeated while inserting': () => `${csi('4h')}a${csi(`${HUGE}b`)}`,
  'text while inserting': () => `${csi('4h')}${'ab\r'.repeat(50)}`,
  ...Object.fromEntries(
    letters('@ABCDEFGHIJKLMPSTXZ`adefgr').map((final) => [
      `CSI ${final}`,
      (i: number) => `${csi(`${(i % 30) + 1};${(i % 7) + 1}H`)}${csi(HUGE + final)}`,
    ]),
  ),
  ...Object.fromEntries(
    [' @', ' A', "'}", "'~"].flatMap((end) => [
      [`CSI ${end}`, () => csi(HUGE + end)],
      [`CSI 1 ${end}`, () => csi(`1${end}`)],
    ]),
  ),
  ...Object.fromEntries(letters('0123').map((what) => [`erasing ${what}`, () => csi(`${what}J`)])),
  'erasing what is not protected': () => `${csi('1"q')}x${csi('?2J')}`,
  'the pattern for aligning': () => '\x1b#8',
  resets: () => '\x1bc',
  'soft resets': () => csi('!p'),
  'the alternate screen': () => `${csi('?1049h')}${csi('?1049l')}`,
  'the alternate screen many times in one': () => csi(`?${many('1049', 32)}h`) + csi(`?${many('47', 32)}l`),
  'columns of 132': () => csi('?40h') + csi('?3h') + csi('?3l'),
  'sizes of windows': () => csi('8;9999;9999t') + csi('9;1t'),
  'saving and restoring': () => '\x1b7\x1b8\x1b[s\x1b[u',
  'reverse line feeds': () => csi('H') + '\x1bM'.repeat(20),
  'eight-bit controls': () => '\u0084\u0085\u008d\u0088',
  charsets: () => '\x1b(0\x1b)A\x1b*K\x0e\x0f\x1bn',
  'a thousand colours': () => csi(`${many('38;2;1;2;3', 1000)}m`),
  'a thousand sub-parameters': () => csi(`4${':3'.repeat(1000)}m`),
  'another look in every cell': (i) => `${csi(`4:3;38;2;${i % 256};${i % 255};9;58:2::1:${i % 254}:3m`)}x`,
  modes: () => csi(`?${Array.from({ length: 500 }, (_, i) => 1000 + i).join(';')}h`),
  'keyboard flags': (i) => csi(`>${i}u`) + csi('=5;2u'),
  'key resources': (i) => csi(`>${i}n`) + csi(`>${i};1m`),
  titles: (i) => `\x1b]0;${'title'.repeat(1600)}${i}\x07${csi('22t')}`,
  'endless titles': () => `\x1b]0;${'title'.repeat(100_000)}\x07`,
  links: (i) => `\x1b]8;id=${i};http://example.com/${i}\x07x`,
  'long links': (i) => `\x1b]8;;http://example.com/${'a'.repeat(8000)}${i}\x07x`,
  'two long links in turns': (i) => `\x1b]8;;http://example.com/${'a'.repeat(2000)}${i % 2}\x07x`,
  palettes: () => `\x1b]4;${many('1;#fff', 1000)}\x07`,
  'endless palettes': () => `\x1b]4;${many('1;#fff', 100_000)}\x07`,
  'colours taken back': () => `\x1b]104;${many('1', 3000)}\x07\x1b]10;${many('#fff', 1500)}\x07`,
  'endless clipboards': () => `\x1b]52;c;${'A'.repeat(500_000)}\x07`,
  sixels: () => `\x1bPq${'#0!999~-'.repeat(10_000)}\x1b\\`,
  'images of kitty': () => `\x1b_Ga=T;${'A'.repeat(4000)}\x1b\\`,
  'endless questions': () => `\x1bP$q${'m'.repeat(500_000)}\x1b\\`,
  questions: () => csi('c') + csi('6n') + csi('?1$p'),
  beginnings: () => '\x1b\x1b[\x1b]\x1bP\x1b_',
  'numbers without end': () => csi('9'.repeat(1000)),
  'bytes that are no text': () => '\udc80',
}

/** At most `size` bytes of a kind. */
function made(kind: (i: number) => string, size: number): Buffer {
  let text = ''
  for (let i = 0; text.length < size; i++) text += kind(i)
  return Buffer.from(text).subarray(0, size)
}

const processorMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * The longest time for one step, in milliseconds of processor time including the collector's threads. The aim is one.
 * Users do not notice 50, and an old machine is several times slower than the one on which src/screen/cost.ts was
 * measured.
 */
const STEP_MS = 50
const SIZES = [
  [80, 24, 60_000],
  [250, 70, 300_000],
] as const

const isDear = ({ longestMs, perByte }: Cost, mostPerByte: number) =>
  longestMs > STEP_MS || perByte > mostPerByte

interface Cost {
  readonly longestMs: number
  readonly perByte: number
}

/** The longest step, and the average per byte in nanoseconds. Ends early: a few hundred steps suffice. */
function cost(screen: Screen, bytes: Buffer): Cost {
  let longestMs = 0
  const whole = processorMs()
  let at = 0
  for (let steps = 0; at < bytes.length && steps < 300 && processorMs() - whole < 60; steps++) {
    const end = pieceEnd(bytes, at, screen.columns, screen.rows)
    const started = processorMs()
    screen.write(bytes.subarray(at, end))
    longestMs = Math.max(longestMs, processorMs() - started)
    at = end
  }
  return { longestMs, perByte: ((processorMs() - whole) * 1e6) / Math.max(1, at) }
}

for (const [columns, rows, mostPerByte] of SIZES) {
  test(`every kind of sequence takes its time on ${columns} by ${rows}, and no more`, () => {
    const dear: string[] = []
    for (const [name, kind] of Object.entries(KINDS)) {
      using screen = new Screen(columns, rows)
      screen.write(Buffer.from('line\r\n'.repeat(1100)))
      const bytes = made(kind, 16_384)
      // Measure again before it counts: a truly expensive sequence is expensive each time.
      let now = cost(screen, bytes)
      for (let i = 0; i < 2 && isDear(now, mostPerByte); i++) now = cost(screen, bytes)
      const told = `${name}: ${now.longestMs.toFixed(1)} ms in one step, ${now.perByte.toFixed()} ns for a byte`
      if (process.env.SCREEN_COSTS) console.log(columns, told)
      if (isDear(now, mostPerByte)) dear.push(told)
    }
    expect(dear).toEqual([])
  }, 120_000)
}

test('any mixture of them does, too', () => {
  const random = new Random(SEED)
  const [first, ...rest] = Object.values(KINDS)
  if (!first) throw new Error('There are no kinds.')
  const until = performance.now() + 2000
  for (let i = 0; i < 200 && performance.now() < until; i++) {
    using screen = new Screen(2 + random.below(200), 1 + random.below(80))
    const parts = Array.from({ length: 20 }, () => made(random.of([first, ...rest]), 1 + random.below(400)))
    const bytes = Buffer.concat(parts)
    const { longestMs } = cost(screen, bytes)
    if (longestMs > 4 * STEP_MS) throw new Error(`seed ${SEED}, case ${i}: a step took ${longestMs} ms`)
    expect(screen.render().length).toBeLessThan(10 << 20)
  }
}, 60_000)

/** Megabytes of this process after a full garbage collection. */
function megabytes(): number {
  Bun.gc(true)
  return process.memoryUsage.rss() / 1e6
}

test('what a terminal keeps is bounded', () => {
  const MOST_MB = 120
  const greedy: string[] = []
  let before = megabytes()
  for (const [name, kind] of Object.entries(KINDS)) {
    using screen = new Screen(80, 24)
    const bytes = made(kind, 65_536)
    // A string of strings would show after a few of them: 300 bytes for each byte.
    const until = performance.now() + 120
    for (let i = 0; i < 32 && performance.now() < until; i++) screen.write(bytes)
    const now = megabytes()
    const more = now - before
    before = now
    if (more > MOST_MB) greedy.push(`${name}: ${more.toFixed()} MB`)
  }
  expect(greedy).toEqual([])
}, 120_000)

test('a full scrollback of marks, colours and links is rendered within a bound, and the screen is all there', () => {
  using screen = new Screen(160, 50)
  let text = ''
  for (let i = 0; i < 160 * 1100; i++)
    text += `${csi(`4:3;38;2;${i % 256};1;2;48;2;3;${i % 255};5;58:2::1:${i % 254}:3m`)}a${MARK.repeat(9)}`
  screen.write(Buffer.from(`${text}\x1b[m\r\nthe end`))
  const rendered = Buffer.from(screen.render())
  expect(rendered.length).toBeLessThan(9 << 20)
  using again = new Screen(160, 50)
  again.write(rendered)
  const visible = (one: Screen) => one.picture({ columns: 160, rows: 50 }).rows
  expect(visible(again)).toEqual(visible(screen))
}, 60_000)

test('pieces are never empty and end between characters', () => {
  const bytes = Buffer.from('漢字😀\x1b[1m\u0085é'.repeat(1000))
  for (const [columns, rows] of [
    [80, 24],
    [1000, 500],
  ] as const) {
    for (let at = 0; at < bytes.length; ) {
      const end = pieceEnd(bytes, at, columns, rows)
      expect(end).toBeGreaterThan(at)
      expect(wholeCharacters(bytes, at, end)).toBe(end)
      at = end
    }
  }
})
