/** The names alone: reading the configuration needs no colours. A test holds them against the themes. */

/** Follows the system of whoever looks at the page; the command line keeps the colours of its terminal. */
export const AUTO = 'auto'

export const THEME_NAMES = [
  AUTO,
  'dark',
  'midnight',
  'ember',
  'forest',
  'contrast',
  'light',
  'paper',
  'contrast-light',
] as const
export type ThemeName = (typeof THEME_NAMES)[number]
