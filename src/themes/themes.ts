/** All themes by name. Pure data without imports outside of this folder: the page of `coop serve` has it, too. */
import { DARK } from './dark.ts'
import { LIGHT } from './light.ts'
import { AUTO } from './names.ts'
import type { Theme } from './theme.ts'

export const THEMES: readonly Theme[] = [...DARK, ...LIGHT]

/**
 * The least contrast of text to its background (WCAG 2.2, 1.4.3 and 1.4.6). A program can put any colour on any other,
 * so a terminal of the page raises the contrast of each cell to this (`minimumContrastRatio` of xterm.js).
 */
export const minimumContrast = ({ name }: Theme): number => (name.startsWith('contrast') ? 7 : 4.5)

/** Returns the theme of that name; for "auto" and unknown names the one that fits a dark or a light screen. */
export function themeOf(name: string, prefers: Theme['kind']): Theme {
  const found = name === AUTO ? undefined : THEMES.find((theme) => theme.name === name)
  return found ?? (prefers === 'light' ? LIGHT[0] : DARK[0])
}
