import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { THEMES, themeOf } from '../themes/themes.ts'
import { colorsOf, themedColors } from './themed-colors.ts'

let folder = ''
let settings = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coop-theme-'))
  settings = join(folder, 'default.toml')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const full = { COLORTERM: 'truecolor', TERM: 'xterm' }
const midnight = colorsOf(themeOf('midnight', 'dark'), 'all')

describe('a theme of the settings', () => {
  beforeEach(() => writeFileSync(settings, '[ui]\ntheme = "midnight"\n'))

  test('is used in full where the terminal says that it has all colours', async () => {
    expect(midnight.red).toMatch(/^38;2;\d+;\d+;\d+$/)
    expect(await themedColors(settings, full)).toEqual(midnight)
    expect(await themedColors(settings, { COLORTERM: '24bit' })).toEqual(midnight)
    expect(await themedColors(settings, { TERM: 'xterm-direct' })).toEqual(midnight)
  })

  test('is used with the nearest of 256 colours', async () => {
    const colors = await themedColors(settings, { TERM: 'tmux-256color' })
    expect(Object.values(colors)).toHaveLength(5)
    for (const color of Object.values(colors))
      expect(color).toMatch(/^38;5;(?:1[6-9]|[2-9]\d|1\d\d|2[0-5]\d)$/)
  })

  test('leaves a terminal of 16 colours its own', async () => {
    for (const TERM of ['linux', 'vt100', 'xterm', ''])
      expect(await themedColors(settings, { TERM })).toEqual({})
    expect(await themedColors(settings, {})).toEqual({})
  })
})

test('without a theme, and with "auto", the terminal keeps its own colours', async () => {
  for (const text of ['', '[ui]\n', '[ui]\ntheme = "auto"\n', '# theme\n[update]\ncheck = true\n']) {
    writeFileSync(settings, text)
    expect(await themedColors(settings, full)).toEqual({})
  }
})

test('the nearest of 256 colours is near', () => {
  let compared = 0
  for (const theme of THEMES) {
    const exact = Object.values(colorsOf(theme, 'all'))
    Object.values(colorsOf(theme, '256')).forEach((sgr, at) => {
      const number = Number(sgr.split(';')[2])
      const parts = (exact[at] ?? '').split(';').slice(2).map(Number)
      const shown = number >= 232 ? [0, 0, 0].map(() => 8 + 10 * (number - 232)) : cube(number - 16)
      const off = Math.max(...parts.map((part, index) => Math.abs(part - (shown[index] ?? 0))))
      expect([theme.name, number, off <= 48]).toEqual([theme.name, number, true]) // half of the widest step
      compared++
    })
  }
  expect(compared).toBe(THEMES.length * 5)
})

function cube(number: number): number[] {
  const steps = [0, 95, 135, 175, 215, 255]
  return [Math.floor(number / 36), Math.floor(number / 6) % 6, number % 6].map((step) => steps[step] ?? 0)
}
