/** The colours of `[ui] theme` for the command line. Loaded only for users who have settings of their own. */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { globalConfigFile, type HostEnv, type Paths } from '../core/paths.ts'
import { AUTO } from '../themes/names.ts'
import type { Color, Theme } from '../themes/theme.ts'
import { themeOf } from '../themes/themes.ts'
import { type Colors, useColors } from './common/output.ts'

/** How many colours a terminal has: its own 16 only, those of xterm, or all. */
type Depth = 'own' | '256' | 'all'

/** Prints in the colours of the user's theme from now on. */
export async function useTheme(paths: Paths): Promise<void> {
  try {
    useColors(await themedColors(globalConfigFile(paths), process.env))
  } catch (error) {
    // The terminal's own colours will do. Every command that needs the settings says what is wrong with them.
    if (!(error instanceof CoopError)) throw error
  }
}

/** Returns what to use in place of the terminal's own colours. Raises E_CONFIG. */
export async function themedColors(settings: string, env: HostEnv): Promise<Partial<Colors>> {
  const depth = depthOf(env)
  if (depth === 'own' || !mentionsTheme(settings)) return {}
  const { readUserLayer } = await import('../config/load.ts')
  const name = readUserLayer(dirname(settings)).ui?.theme ?? AUTO
  return name === AUTO ? {} : colorsOf(themeOf(name, 'dark'), depth)
}

/** Most users have not set it: then the parser is not even loaded. */
function mentionsTheme(settings: string): boolean {
  try {
    return readFileSync(settings, 'utf8').includes('theme')
  } catch {
    return false
  }
}

function depthOf({ COLORTERM, TERM = '' }: HostEnv): Depth {
  if (COLORTERM === 'truecolor' || COLORTERM === '24bit' || TERM.endsWith('-direct')) return 'all'
  return TERM.includes('256color') ? '256' : 'own'
}

export function colorsOf({ ui }: Theme, depth: '256' | 'all'): Partial<Colors> {
  const sgr = (color: Color): string => foreground(color, depth)
  return {
    dim: sgr(ui.muted),
    red: sgr(ui.danger),
    green: sgr(ui.success),
    yellow: sgr(ui.warning),
    cyan: sgr(ui.accent),
  }
}

function foreground(color: Color, depth: '256' | 'all'): string {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
  return depth === 'all' ? `38;2;${parts.join(';')}` : `38;5;${nearest(parts)}`
}

/** Values of a part in xterm's cube of 6 × 6 × 6 colours, which begins at 16. Greys begin at 232. */
const STEPS = [0, 95, 135, 175, 215, 255]

function nearest(parts: readonly number[]): number {
  const steps = parts.map((part) => indexOfNearest(STEPS, part))
  const cube = steps.map((step) => STEPS[step] ?? 0)
  const step = Math.min(23, Math.max(0, Math.round((average(parts) - 8) / 10)))
  const grey = parts.map(() => 8 + 10 * step)
  const [red = 0, green = 0, blue = 0] = steps
  return distance(grey, parts) < distance(cube, parts) ? 232 + step : 16 + 36 * red + 6 * green + blue
}

const average = (parts: readonly number[]): number =>
  parts.reduce((sum, part) => sum + part, 0) / parts.length

const distance = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, part, at) => sum + (part - (b[at] ?? 0)) ** 2, 0)

const indexOfNearest = (values: readonly number[], wanted: number): number =>
  values.reduce(
    (best, value, at) => (Math.abs(value - wanted) < Math.abs((values[best] ?? 0) - wanted) ? at : best),
    0,
  )
