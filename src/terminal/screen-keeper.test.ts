import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { heldPipe } from '../../ffi/pipes.ts'
import { Screen } from '../screen/screen.ts'
import { Ring } from './ring.ts'
import { loadScreens, ScreenKeeper } from './screen-keeper.ts'

const SIZE = { columns: 80, rows: 24 }
const MODES = '\x1b[?2004h\x1b[?1h\x1b[31m'

let folder: string
let ring: Ring
let keeper: ScreenKeeper
let seen: Screen

beforeEach(async () => {
  await loadScreens()
  folder = mkdtempSync(join(tmpdir(), 'keeper-'))
  ring = Ring.create(join(folder, 'r'), heldPipe())
  keeper = new ScreenKeeper(ring, join(folder, 's'), SIZE)
  seen = new Screen(SIZE.columns, SIZE.rows)
})
afterEach(() => {
  keeper.close()
  ring.close()
  seen.dispose()
  rmSync(folder, { recursive: true })
})

/** Imitates a terminal: sends as much as there is room for, then more. */
async function put(text: string): Promise<void> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    const more = Promise.withResolvers<void>()
    keeper.onRoom = more.resolve
    const room = keeper.room()
    if (room <= 0) {
      await more.promise
      continue
    }
    const part = bytes.subarray(at, at + Math.min(room, 50_000))
    ring.append(part)
    seen.write(part)
    at += part.length
  }
}

const many = (count: number, text: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join('')

/** The visible part on a terminal that received these bytes. */
function visible(bytes: Uint8Array): string {
  using screen = new Screen(SIZE.columns, SIZE.rows, 0)
  screen.write(bytes)
  return Buffer.from(screen.render()).toString()
}

const shown = () =>
  new Promise<{ offset: number; bytes: Uint8Array }>((resolve) =>
    keeper.screen((offset, bytes) => resolve({ offset, bytes })),
  )

async function expectExact(): Promise<void> {
  const { offset, bytes } = await shown()
  expect(offset).toBe(ring.offset)
  expect(visible(bytes)).toBe(visible(seen.render()))
}

test('the screen is exact although most of the output is gone from the ring', async () => {
  await put(MODES)
  await put('\x1b[5;10Hstays')
  await put(many(40_000, (i) => `\x1b[${10 + (i % 5)};${1 + (i % 60)}H\x1b[3${i % 8}m${i}`))
  expect(ring.start).toBeGreaterThan(0)
  await expectExact()
})

test('a flood of plain lines keeps the modes that were set before it', async () => {
  await put(MODES)
  await put(many(100_000, (i) => `line ${i}\r\n`))
  expect(ring.start).toBeGreaterThan(0)
  await expectExact()
})

test('plain lines below a region that stays are not taken for all there is', async () => {
  await put('\x1b[1;1Hheader\x1b[5;24r\x1b[24;1H')
  await put(many(100_000, (i) => `line ${i}\r\n`))
  await expectExact()
  expect(visible((await shown()).bytes)).toContain('header')
})

test('the next daemon knows it, too', async () => {
  await put(MODES)
  await put('\x1b[?1049h\x1b[5;10Hstays')
  await put(many(40_000, (i) => `\x1b[${10 + (i % 5)};${1 + (i % 60)}H${i}`))
  keeper = new ScreenKeeper(ring, join(folder, 's'), SIZE)
  await expectExact()
  await put(many(100_000, (i) => `line ${i}\r\n`))
  keeper = new ScreenKeeper(ring, join(folder, 's'), SIZE)
  await expectExact()
})

test('it is resized as a terminal is', async () => {
  await put(
    'a line that is longer than the forty columns which the terminal will have soon\r\nand a second\r\n',
  )
  keeper.resize({ columns: 40, rows: 10 })
  seen.resize(40, 10)
  const { bytes } = await shown()
  using screen = new Screen(40, 10)
  screen.write(bytes)
  expect(Buffer.from(screen.render()).toString()).toBe(Buffer.from(seen.render()).toString())
})

test('two sizes in a row end with the second, also when that is the one before them', async () => {
  await put(many(10_000, (i) => `\x1b[3${i % 8}m${i}`)) // so that the first one takes its time
  await put(`\x1b[2J\x1b[H${'a line that is longer than eighty columns '.repeat(3)}\r\n`.repeat(3))
  for (const [columns, rows] of [
    [120, 40],
    [80, 24],
  ] as const) {
    keeper.resize({ columns, rows })
    seen.resize(columns, rows)
  }
  await put('\x1b[Aabove')
  const { bytes } = await shown()
  using screen = new Screen(SIZE.columns, SIZE.rows)
  screen.write(bytes)
  expect(Buffer.from(screen.render()).toString()).toBe(Buffer.from(seen.render()).toString())
})
