import { expect, test } from 'bun:test'
import { count, cpus, formatSize, publishedPort, size } from './values.ts'

test('sizes are powers of 1024 with an optional unit', () => {
  expect(size.read('4g')).toBe(4 * 2 ** 30)
  expect(size.read('512M')).toBe(512 * 2 ** 20)
  expect(size.read('1.5GiB')).toBe(1.5 * 2 ** 30)
  expect(size.read('2048 k')).toBe(2 ** 21)
  expect(size.read(2 ** 30)).toBe(2 ** 30)
  expect(size.read('')).toBeNull()
})

test.each(['4', 'g', '-1g', '1e9', '4gg', '0x10m', '99999999t', ' 4g', 5, -1, Number.NaN, true, null])(
  '%p is no size',
  (value) => {
    expect(() => size.read(value)).toThrow('a size such as')
  },
)

test('a size is written in the largest unit that divides it', () => {
  for (const text of ['1m', '1536m', '4g', '3t', '1048577', '1025k']) {
    expect(formatSize(size.read(text) ?? 0)).toBe(text)
  }
})

test('processors may be parts', () => {
  expect(cpus.read('2')).toBe(2)
  expect(cpus.read('0.5')).toBe(0.5)
  expect(cpus.read(1.5)).toBe(1.5)
  expect(cpus.read('')).toBeNull()
  for (const bad of ['0', '-1', 'x', '1e3', 0, Number.POSITIVE_INFINITY, Number.NaN, []])
    expect(() => cpus.read(bad)).toThrow()
})

test('a count is a number with or without quotes, empty the default', () => {
  const pids = count(16, 100, 50)
  expect(pids.read('')).toBe(50)
  expect(pids.read('64')).toBe(64)
  expect(pids.read(64)).toBe(64)
  for (const bad of [15, 101, '1e1', '64.0', 64.5, null]) expect(() => pids.read(bad)).toThrow()
})

test('ports are published under their own number or another one', () => {
  for (const text of ['3000', '8080:3000']) expect(publishedPort.show(publishedPort.read(text))).toBe(text)
  for (const bad of ['0', '65536', '1:', ':1', '1:2:3', '-1', 1.5, ''])
    expect(() => publishedPort.read(bad)).toThrow('a port')
})
