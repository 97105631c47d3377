import { expect, test } from 'bun:test'
import { DEFAULTS, readSettings } from './settings.ts'

test('reads what was stored', () => {
  const stored = { ...DEFAULTS, theme: 'paper', fontSize: 16, scrollback: 500, screenReader: true }
  expect(readSettings(JSON.stringify(stored))).toEqual(stored)
})

test('takes its own values in place of anything else', () => {
  for (const stored of [null, '', '{', '[]', 'null', '7', '{"theme":"evil","fontSize":1e9,"scrollback":-1}'])
    expect(readSettings(stored)).toEqual(DEFAULTS)
  expect(readSettings('{"fontSize":12.5,"clipboard":"yes","fontFamily":7}')).toEqual(DEFAULTS)
  expect(readSettings(JSON.stringify({ fontFamily: 'x'.repeat(300) })).fontFamily).toBe('')
})
