import { expect, test } from 'bun:test'
import { realpathSync } from 'node:fs'
import { isToReplace, programOf } from './programs.ts'

const here = { path: '/bin/coop', isReplaced: false }
const replaced = { path: '/bin/coop', isReplaced: true }
const elsewhere = { path: '/opt/coop', isReplaced: false }

test('a newer release replaces an older daemon, an older one leaves it', () => {
  expect(isToReplace(true, here, elsewhere)).toBe(true)
  expect(isToReplace(false, here, elsewhere)).toBe(false)
  expect(isToReplace(true, here, undefined)).toBe(true)
  expect(isToReplace(false, here, undefined)).toBe(false)
})

test('after a rollback the installed release replaces the daemon whose file it took', () => {
  expect(isToReplace(false, here, replaced)).toBe(true)
  expect(isToReplace(false, elsewhere, replaced)).toBe(false)
})

test('a client that has lost its file replaces nothing: it would start another release than its own', () => {
  expect(isToReplace(true, replaced, here)).toBe(false)
  expect(isToReplace(true, replaced, elsewhere)).toBe(false)
  expect(isToReplace(false, replaced, replaced)).toBe(false)
})

test('the program of a process is found', () => {
  expect(programOf('self')).toEqual({ path: realpathSync(process.execPath), isReplaced: false })
  expect(programOf(2 ** 22 + 1)).toBeUndefined()
})
