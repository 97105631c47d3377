import { expect, test } from 'bun:test'
import { isNewer } from './versions.ts'

const release = (version: string, protocol = 1) => ({ version, protocol })

test('numbers are compared as numbers, from the left', () => {
  expect(isNewer(release('0.10.0'), release('0.9.9'))).toBe(true)
  expect(isNewer(release('0.9.9'), release('0.10.0'))).toBe(false)
  expect(isNewer(release('1.0.0'), release('0.99.99'))).toBe(true)
})

test('the same version is not newer, whatever its suffix', () => {
  expect(isNewer(release('1.2.3'), release('1.2.3'))).toBe(false)
  expect(isNewer(release('1.2.3-dev'), release('1.2.3'))).toBe(false)
})

test('of one version the higher protocol is newer', () => {
  expect(isNewer(release('1.0.0', 2), release('1.0.0', 1))).toBe(true)
  expect(isNewer(release('1.0.0', 1), release('1.0.0', 2))).toBe(false)
})
