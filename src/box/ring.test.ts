import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { heldPipe, splice } from '../../ffi/pipes.ts'
import { RING_SIZE, Ring } from './ring.ts'

const HEADER = 64
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ring-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const numbered = (from: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (from + i) % 251))

test.each([1, 2, 63, 64, 65, 4096])('keeps the newest bytes when it wraps around in steps of %d', (step) => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  ring.append(numbered(0, RING_SIZE - 100))
  while (ring.offset < RING_SIZE + 200) ring.append(numbered(ring.offset, step))
  const { from, bytes } = ring.read()
  expect(from).toBe(ring.offset - RING_SIZE)
  expect(bytes.equals(numbered(from, RING_SIZE))).toBe(true)
  ring.close()
})

test('takes more than it holds and keeps the end', () => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  ring.append(numbered(0, 3))
  ring.append(numbered(3, RING_SIZE * 2))
  expect(ring.offset).toBe(RING_SIZE * 2 + 3)
  expect(ring.read().bytes.equals(numbered(RING_SIZE + 3, RING_SIZE))).toBe(true)
  ring.close()
})

test('is the same for who opens it later', () => {
  const first = Ring.create(join(folder, 'r'), heldPipe())
  first.append(Buffer.from('before'))
  first.close()
  const second = Ring.open(join(folder, 'r'), heldPipe())
  second.append(Buffer.from(' and after'))
  expect(second.read(3).bytes.toString()).toBe('ore and after')
  second.close()
})

test('that is damaged starts anew', () => {
  writeFileSync(join(folder, 'r'), 'no ring at all')
  const ring = Ring.open(join(folder, 'r'), heldPipe())
  expect(ring.offset).toBe(0)
  ring.append(Buffer.from('x'))
  expect(ring.read().bytes.toString()).toBe('x')
  ring.close()
})

describe('after a kill', () => {
  const path = (): string => join(folder, 'r')

  /** What the pipe and the header are when the daemon dies; `stored` of `size` bytes have reached the file. */
  function crash(size: number, underWay: number, stored: number): { pipe: number; keep: number } {
    const pipe = heldPipe()
    const ring = Ring.create(path(), pipe)
    ring.append(Buffer.from('before '))
    const keep = openSync(`/proc/self/fd/${pipe}`, 'r+') // init's copy
    writeSync(pipe, 'x'.repeat(size))
    if (stored) {
      const file = openSync(path(), 'r+')
      splice(pipe, file, stored, HEADER + 7)
      closeSync(file)
    }
    if (underWay) {
      const header = Buffer.alloc(8)
      header.writeBigUInt64LE(BigInt(underWay))
      const file = openSync(path(), 'r+')
      writeSync(file, header, 0, 8, 24)
      closeSync(file)
    }
    ring.close()
    return { pipe: openSync(`/proc/self/fd/${keep}`, 'r+'), keep }
  }

  const cases = [
    ['output had reached the pipe', 1_000, 0, 0],
    ['the header was written', 1_000, 1_000, 0],
    ['a part was stored', 1_000, 1_000, 300],
    ['all of it was stored', 1_000, 1_000, 1_000],
    ['nothing was under way', 0, 0, 0],
  ] as const

  test.each(cases)('when %s nothing is lost or doubled', (_, size, underWay, stored) => {
    const { pipe, keep } = crash(size, underWay, stored)
    const ring = Ring.open(path(), pipe)
    const [from, to] = [heldPipe(), heldPipe()]
    writeSync(from, ' after')
    while (ring.take(from, 65_536));
    expect(ring.read().bytes.toString()).toBe(`before ${'x'.repeat(size)} after`)
    expect(ring.offset).toBe(7 + size + 6)
    ring.close()
    for (const fd of [from, to, keep]) closeSync(fd)
  })
})

test('takes what a terminal has, around the end of the file, and gives it back', () => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  const from = heldPipe()
  let at = 0
  while (at < RING_SIZE * 2) {
    const size = 1 + ((at * 7) % 30_000)
    writeSync(from, numbered(at, size))
    for (let got = 0; got < size; ) {
      const bytes = ring.take(from, 10_000)
      if (!bytes || bytes === 'gone') throw new Error('it has more')
      expect(bytes.equals(numbered(at + got, bytes.length))).toBe(true)
      got += bytes.length
    }
    at += size
  }
  expect(ring.take(from, 1)).toBeUndefined()
  const { from: start, bytes } = ring.read()
  expect(bytes.equals(numbered(start, RING_SIZE))).toBe(true)
  ring.close()
  closeSync(from)
})

test('a file that was deleted can be had once more', () => {
  const ring = Ring.create(join(folder, 'r'), heldPipe())
  ring.append(Buffer.from('text'))
  rmSync(join(folder, 'r'))
  ring.moveTo(join(folder, 'r'))
  ring.append(Buffer.from(' and more'))
  const other = Ring.open(join(folder, 'r'), heldPipe())
  expect(other.read().bytes.toString()).toBe('text and more')
  ring.close()
  other.close()
})
