import { describe, expect, test } from 'bun:test'
import { AUTO, THEME_NAMES } from './names.ts'
import type { Color, TerminalColors, Theme } from './theme.ts'
import { minimumContrast, THEMES, themeOf } from './themes.ts'

/** Relative luminance (WCAG 2.2). */
function luminance(color: Color): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: Color, other: Color): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const HUES = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const
const BRIGHT = [
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
] as const
/** The end of the grey scale that is the background's own is no colour for text on it. */
const GREYS = { dark: ['white', 'brightBlack', 'brightWhite'], light: ['black', 'brightBlack'] } as const

const readable = (theme: Theme, text: Color, on: Color): void =>
  expect([text, on, contrast(text, on) >= minimumContrast(theme)]).toEqual([text, on, true])

test('contrast is that of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  expect(contrast('#ff0000', '#ff0000')).toBe(1)
})

describe.each(THEMES.map((theme) => [theme.name, theme] as const))('%s', (_, theme) => {
  const { terminal, ui, kind } = theme
  const colors: TerminalColors = terminal

  test('has colours of six digits', () => {
    for (const color of [...Object.values(terminal), ...Object.values(ui)])
      expect(color).toMatch(/^#[0-9a-f]{6}$/)
  })

  test('is as dark or light as it says', () => {
    expect(luminance(terminal.background) < luminance(terminal.foreground)).toBe(kind === 'dark')
  })

  test('has readable text in every colour of the terminal', () => {
    for (const name of ['foreground', ...GREYS[kind], ...HUES, ...BRIGHT] as const)
      readable(theme, colors[name], terminal.background)
    readable(theme, terminal.foreground, terminal.selectionBackground)
    readable(theme, terminal.cursorAccent, terminal.cursor)
  })

  test('has readable bars of programs: black or white on a colour', () => {
    for (const name of HUES)
      readable(theme, kind === 'dark' ? terminal.black : terminal.brightWhite, colors[name])
    readable(theme, terminal.black, terminal.white)
  })

  test('has readable text everywhere on the page', () => {
    for (const on of [ui.background, ui.surface, ui.raised])
      for (const text of [ui.text, ui.muted, ui.accent, ui.danger, ui.warning, ui.success])
        readable(theme, text, on)
    readable(theme, ui.onAccent, ui.accent)
    readable(theme, ui.onAccent, ui.danger)
  })

  test('tells its colours apart', () => {
    expect(new Set(HUES.map((name) => colors[name])).size).toBe(HUES.length)
    expect(new Set([ui.background, ui.surface, ui.raised, ui.border]).size).toBe(4)
  })
})

test('a page with high contrast has borders that are seen', () => {
  for (const { ui } of THEMES.filter(({ name }) => name.startsWith('contrast')))
    expect(contrast(ui.border, ui.background)).toBeGreaterThan(4.5) // WCAG 1.4.11 asks for 3
})

test('every name of the setting is a theme, and every theme has its name', () => {
  expect<string[]>([AUTO, ...THEMES.map(({ name }) => name)]).toEqual([...THEME_NAMES])
})

test('"auto" and what this release does not know follow the screen', () => {
  for (const name of [AUTO, 'of-a-later-release', '']) {
    expect(themeOf(name, 'dark').name).toBe('dark')
    expect(themeOf(name, 'light').name).toBe('light')
  }
  expect(themeOf('paper', 'dark').name).toBe('paper')
})
