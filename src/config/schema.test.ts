import { expect, test } from 'bun:test'
import { isEnvName } from './env-flags.ts'
import { DEFAULTS, SCHEMA, TABLE_NAMES } from './schema.ts'

test('every default is what reading its written form gives', () => {
  const check = <T>(field: { default: T; read: (value: unknown) => T; show: (value: T) => unknown }): void =>
    expect(field.read(field.show(field.default))).toEqual(field.default)
  for (const fields of Object.values(SCHEMA)) for (const field of Object.values(fields)) check(field)
})

test('every table has its place in the listing', () => {
  expect<string[]>([...TABLE_NAMES].sort()).toEqual([...Object.keys(SCHEMA), 'env'].sort())
  expect(Object.keys(DEFAULTS).sort()).toEqual([...TABLE_NAMES].sort())
})

test('every key says what it is for in one sentence line', () => {
  for (const fields of Object.values(SCHEMA)) {
    for (const field of Object.values(fields)) expect(field.doc).toMatch(/^[^\n]{5,115}[.]$/)
  }
})

test('names of environment variables are those of POSIX', () => {
  for (const good of ['A', '_', 'a_1']) expect(isEnvName(good)).toBe(true)
  for (const bad of ['', '1A', 'A-B', 'A=B', 'Ä', 'A\n', '__proto__', 'constructor'])
    expect(isEnvName(bad)).toBe(false)
})
