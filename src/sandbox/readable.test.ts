import { expect, test } from 'bun:test'
import { closedPart, type WayPart } from './readable.ts'

const way = (...parts: readonly (readonly [string, number])[]): WayPart[] =>
  parts.map(([path, mode]) => ({ path, mode, isFolder: !path.endsWith('.txt') }))
const OPEN = [
  ['/', 0o755],
  ['/srv', 0o755],
] as const

test('what everybody may read is open', () => {
  expect(closedPart(way(...OPEN, ['/srv/lib', 0o755]), '/root/p')).toBeUndefined()
  expect(closedPart(way(...OPEN, ['/srv/a.txt', 0o644]), '/root/p')).toBeUndefined()
  expect(closedPart(way(['/', 0o755], ['/srv', 0o711], ['/srv/lib', 0o755]), '/root/p')).toBeUndefined()
})

test('one closed folder on the way closes all below it', () => {
  const home = way(['/', 0o755], ['/home', 0o755], ['/home/kim', 0o750], ['/home/kim/pub', 0o755])
  expect(closedPart(home, '/root/p')).toBe('/home/kim')
})

test('the place itself has to be open for reading and, as a folder, for entering', () => {
  for (const mode of [0o700, 0o750, 0o751, 0o754])
    expect(closedPart(way(...OPEN, ['/srv/lib', mode]), '/root/p')).toBe('/srv/lib')
  expect(closedPart(way(...OPEN, ['/srv/a.txt', 0o640]), '/root/p')).toBe('/srv/a.txt')
})

test('folders above the project are passed, but not opened', () => {
  const beside = way(['/', 0o755], ['/root', 0o700], ['/root/lib', 0o755])
  expect(closedPart(beside, '/root/p')).toBeUndefined()
  expect(closedPart(beside, '/rooted/p')).toBe('/root')
  expect(closedPart(way(['/', 0o755], ['/root', 0o700]), '/root/p')).toBe('/root')
})
