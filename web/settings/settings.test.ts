import { expect, test } from 'bun:test'
import { configuredTheme, DEFAULTS, readSettings, settings, theme } from './settings.ts'

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

test('the theme is the one of this browser, then the one of the machine, then that of the screen', () => {
  try {
    expect(theme.value.name).toBe('dark')
    configuredTheme.value = 'paper'
    expect(theme.value.name).toBe('paper')
    settings.value = { ...DEFAULTS, theme: 'ember' }
    expect(theme.value.name).toBe('ember')
    configuredTheme.value = 'of-a-later-release'
    settings.value = DEFAULTS
    expect(theme.value.name).toBe('dark')
  } finally {
    configuredTheme.value = 'auto'
    settings.value = DEFAULTS
  }
})
