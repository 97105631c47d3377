/** What this browser's user likes, kept in this browser. Whatever else is found there is ignored. */
import { computed, effect, signal } from '@preact/signals'
import { AUTO, THEME_NAMES } from '../../src/themes/names.ts'
import type { Theme } from '../../src/themes/theme.ts'
import { themeOf } from '../../src/themes/themes.ts'

const KEY = 'coop.settings'

export interface Settings {
  /** One of THEME_NAMES. */
  readonly theme: string
  /** CSS pixels. */
  readonly fontSize: number
  /** Empty: the system's. */
  readonly fontFamily: string
  /** Lines. */
  readonly scrollback: number
  readonly screenReader: boolean
  /** Programs may put text on the clipboard (OSC 52); they can never read it. */
  readonly clipboard: boolean
}

export const LIMITS = {
  fontSize: { min: 8, max: 32 },
  scrollback: { min: 0, max: 100_000 }, // 100,000 lines of 200 columns take 240 MB
} as const

export const DEFAULTS: Settings = {
  theme: AUTO,
  fontSize: 13,
  fontFamily: '',
  scrollback: 10_000,
  screenReader: false,
  clipboard: false,
}

function within({ min, max }: { min: number; max: number }, value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
    ? value
    : undefined
}

/** Reads stored settings, whatever they are. */
export function readSettings(stored: string | null): Settings {
  let found: Partial<Record<keyof Settings, unknown>> = {}
  try {
    const value: unknown = JSON.parse(stored ?? '{}')
    if (typeof value === 'object' && value !== null) found = value
  } catch {
    // Not ours.
  }
  const { theme, fontSize, fontFamily, scrollback, screenReader, clipboard } = found
  return {
    theme: THEME_NAMES.find((name) => name === theme) ?? DEFAULTS.theme,
    fontSize: within(LIMITS.fontSize, fontSize) ?? DEFAULTS.fontSize,
    fontFamily: typeof fontFamily === 'string' && fontFamily.length <= 200 ? fontFamily : DEFAULTS.fontFamily,
    scrollback: within(LIMITS.scrollback, scrollback) ?? DEFAULTS.scrollback,
    screenReader: screenReader === true,
    clipboard: clipboard === true,
  }
}

export const settings = signal<Settings>(readSettings(globalThis.localStorage?.getItem(KEY) ?? null))

export function change(changed: Partial<Settings>): void {
  settings.value = readSettings(JSON.stringify({ ...settings.value, ...changed }))
  localStorage.setItem(KEY, JSON.stringify(settings.value))
}

globalThis.addEventListener?.('storage', ({ key, newValue }: StorageEvent) => {
  if (key === KEY) settings.value = readSettings(newValue)
})

const light = globalThis.matchMedia?.('(prefers-color-scheme: light)')
const prefersLight = signal(light?.matches ?? false)
light?.addEventListener('change', ({ matches }) => {
  prefersLight.value = matches
})

/** The theme of the user's settings on the machine; a choice in this browser comes first. */
export const configuredTheme = signal<string>(AUTO)

const chosenTheme = computed(() =>
  settings.value.theme === AUTO ? configuredTheme.value : settings.value.theme,
)

export const theme = computed<Theme>(() => themeOf(chosenTheme.value, prefersLight.value ? 'light' : 'dark'))

const FONTS =
  'ui-monospace, "Cascadia Mono", "JetBrains Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono", monospace'

/** The list of fonts for terminals. */
export const fonts = computed(() => {
  const own = settings.value.fontFamily.replaceAll(/["\\;{}\n]/g, '').trim()
  return own ? `"${own}", ${FONTS}` : FONTS
})

/** Gives the page its colours, as CSS variables. */
export function paint(root: HTMLElement): () => void {
  return effect(() => {
    const { ui, terminal, kind } = theme.value
    for (const [name, color] of Object.entries(ui)) root.style.setProperty(`--${kebab(name)}`, color)
    root.style.setProperty('--terminal', terminal.background)
    root.style.setProperty('--terminal-text', terminal.foreground)
    root.style.setProperty('--fonts', fonts.value)
    root.style.colorScheme = kind
    root.dataset.kind = kind
    document.querySelector('meta[name="theme-color"]')?.setAttribute('content', ui.surface)
  })
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
