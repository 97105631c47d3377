import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RING_SIZE, Ring } from './ring.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ring-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const numbered = (from: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (from + i) % 251))

test.each([1, 2, 63, 64, 65, 4096])('keeps the newest bytes when it wraps around in steps of %d', (step) => {
  const ring = Ring.create(join(folder, 'r'))
  ring.append(numbered(0, RING_SIZE - 100))
  while (ring.offset < RING_SIZE + 200) ring.append(numbered(ring.offset, step))
  const { from, bytes } = ring.read()
  expect(from).toBe(ring.offset - RING_SIZE)
  expect(bytes.equals(numbered(from, RING_SIZE))).toBe(true)
  ring.close()
})

test('takes more than it holds and keeps the end', () => {
  const ring = Ring.create(join(folder, 'r'))
  ring.append(numbered(0, 3))
  ring.append(numbered(3, RING_SIZE * 2))
  expect(ring.offset).toBe(RING_SIZE * 2 + 3)
  expect(ring.read().bytes.equals(numbered(RING_SIZE + 3, RING_SIZE))).toBe(true)
  ring.close()
})

test('is the same for who opens it later', () => {
  const first = Ring.create(join(folder, 'r'))
  first.append(Buffer.from('before'))
  first.close()
  const second = Ring.open(join(folder, 'r'))
  second.append(Buffer.from(' and after'))
  expect(second.read(3).bytes.toString()).toBe('ore and after')
  second.close()
})

test('that is damaged starts anew', () => {
  writeFileSync(join(folder, 'r'), 'no ring at all')
  const ring = Ring.open(join(folder, 'r'))
  expect(ring.offset).toBe(0)
  ring.append(Buffer.from('x'))
  expect(ring.read().bytes.toString()).toBe('x')
  ring.close()
})
