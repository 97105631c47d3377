import { expect, test } from 'bun:test'
import { cleanTarget, isKernelPlace } from './box-paths.ts'

test.each([
  ['/a', '/a'],
  ['//a//b/', '/a/b'],
  ['/./a/.', '/a'],
  ['/', '/'],
  ['~', '~'],
  ['~/', '~'],
  ['~/.', '~'],
  ['~//.config/./x/', '~/.config/x'],
  ['/home/~', '/home/~'],
])('%s is the place %s', (path, clean) => {
  expect(cleanTarget(path)).toBe(clean)
})

test.each([
  '/',
  '//',
  '/.',
  '/proc',
  '//proc',
  '/./dev',
  '/x/../proc',
  '/sys/',
  '/dev/shm/x',
  '/proc/./self',
  '/../sys',
])('%s is the kernel’s', (path) => {
  expect(isKernelPlace(path)).toBe(true)
})

test.each(['/process', '/srv/proc', '/device', '/home/dev', '/x/proc/..'])('%s is not', (path) => {
  expect(isKernelPlace(path)).toBe(false)
})
