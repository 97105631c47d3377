import { expect, test } from 'bun:test'
import {
  boundingDrops,
  CAPABILITIES,
  capsetStruct,
  DROPPED,
  KEPT,
  KEPT_CAPABILITIES,
  KEPT_MASK,
} from './capabilities.ts'

test('the numbers run from 0 to 40 without a gap', () => {
  expect(Object.values(CAPABILITIES) as number[]).toEqual(Array.from({ length: 41 }, (_, nr) => nr))
})

test('eleven capabilities stay, none of the dangerous ones', () => {
  expect(KEPT_CAPABILITIES.length).toBe(11)
  expect(KEPT_MASK).toBe(0x0_8004_05fbn)
  expect(Object.keys(DROPPED).filter((name) => name in KEPT)).toEqual([])
})

test('the bounding set loses everything else, also what this table does not know', () => {
  const drops = boundingDrops(45)
  expect(drops).toContain(CAPABILITIES.SYS_ADMIN)
  expect(drops).toContain(45)
  expect(drops).not.toContain(CAPABILITIES.CHOWN)
  expect(drops.length).toBe(46 - 11)
})

test('capset gets effective and permitted alike, and nothing inheritable', () => {
  const { header, data } = capsetStruct()
  expect([...new Uint32Array(header.buffer)]).toEqual([0x20080522, 0])
  const low = Number(KEPT_MASK)
  expect([...new Uint32Array(data.buffer)]).toEqual([low, low, 0, 0, 0, 0])
})
