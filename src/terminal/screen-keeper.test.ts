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

/** What a terminal does: as much as there is room for, then more. */
function put(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    const room = keeper.room()
    if (room <= 0) throw new Error('there is no room')
    const part = bytes.subarray(at, at + Math.min(room, 50_000))
    ring.append(part)
    seen.write(part)
    at += part.length
  }
}

/** The visible part, as a terminal shows it that was given those bytes. */
function visible(bytes: Uint8Array): string {
  using screen = new Screen(SIZE.columns, SIZE.rows, 0)
  screen.write(bytes)
  return Buffer.from(screen.render()).toString()
}

function expectExact(): void {
  const { offset, bytes } = keeper.screen()
  expect(offset).toBe(ring.offset)
  expect(visible(bytes)).toBe(visible(seen.render()))
}

test('the screen is exact although most of the output is gone from the ring', () => {
  put(MODES)
  put('\x1b[5;10Hstays')
  for (let i = 0; i < 40_000; i++) put(`\x1b[${10 + (i % 5)};${1 + (i % 60)}H\x1b[3${i % 8}m${i}`)
  expect(ring.start).toBeGreaterThan(0)
  expectExact()
})

test('a flood of plain lines keeps the modes that were set before it', () => {
  put(MODES)
  for (let i = 0; i < 100_000; i++) put(`line ${i}\r\n`)
  expect(ring.start).toBeGreaterThan(0)
  expectExact()
})

test('plain lines below a region that stays are not taken for all there is', () => {
  put('\x1b[1;1Hheader\x1b[5;24r\x1b[24;1H')
  for (let i = 0; i < 100_000; i++) put(`line ${i}\r\n`)
  expectExact()
  expect(visible(keeper.screen().bytes)).toContain('header')
})

test('the next daemon knows it, too', () => {
  put(MODES)
  put('\x1b[?1049h\x1b[5;10Hstays')
  for (let i = 0; i < 40_000; i++) put(`\x1b[${10 + (i % 5)};${1 + (i % 60)}H${i}`)
  keeper = new ScreenKeeper(ring, join(folder, 's'), SIZE)
  expectExact()
  for (let i = 0; i < 100_000; i++) put(`line ${i}\r\n`)
  keeper = new ScreenKeeper(ring, join(folder, 's'), SIZE)
  expectExact()
})

test('it is resized as a terminal is', () => {
  put('a line that is longer than the forty columns which the terminal will have soon\r\nand a second\r\n')
  keeper.resize({ columns: 40, rows: 10 })
  seen.resize(40, 10)
  const { bytes } = keeper.screen()
  using screen = new Screen(40, 10)
  screen.write(bytes)
  expect(Buffer.from(screen.render()).toString()).toBe(Buffer.from(seen.render()).toString())
})
