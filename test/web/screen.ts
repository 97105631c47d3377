/**
 * What a terminal of the page shows: characters, colours, attributes and cursor as the browser draws them, and what tmux
 * shows after the same bytes, in one form that can be compared.
 */
import type { Locator } from 'playwright-core'
import { BG, COLOR, FG } from '../../src/screen/internals.ts'
import { Painter } from '../../src/screen/painter.ts'
import type { Attributes } from '../../src/screen/pen.ts'
import { insidesOf, type Screen } from '../../src/screen/screen.ts'
import type { Theme } from '../../src/themes/theme.ts'
import { minimumContrast } from '../../src/themes/themes.ts'

/** Text with one look. */
interface Run {
  readonly text: string
  readonly look: string
}

export interface Picture {
  readonly rows: readonly (readonly Run[])[]
  /** Row and characters before it; undefined if it is hidden. */
  readonly cursor: string | undefined
}

/** Rows with their looks in braces, and the cursor: what tests compare and show. */
export interface Drawing {
  readonly rows: readonly string[]
  readonly cursor: string | undefined
}

export const drawing = ({ rows, cursor }: Picture): Drawing => ({ rows: rows.map(rowOf), cursor })

/** A part of a row as xterm.js draws it (DomRendererRowFactory). */
interface Span {
  readonly text: string
  readonly classes: readonly string[]
  readonly color: string
  readonly background: string
}

/** The parts of the DOM that are read; the tests are compiled without its types. */
interface Part {
  readonly textContent: string
  readonly className: string
  readonly style: { readonly color: string; readonly backgroundColor: string }
  readonly children: Iterable<Part>
}

const INVERSE_DEFAULT = '257' // xterm.js's number of the default colours, exchanged
/** Begins the name of a colour that the page may change so that it can be read. */
const RAISED = '~'

/** Reads the rows of a terminal (`.xterm-rows`). */
export async function pictureOf(rows: Locator): Promise<Picture> {
  const spans: Span[][] = await rows.evaluate((element: Part) =>
    [...element.children].map((row) =>
      [...row.children].map(({ textContent, className, style }) => ({
        text: textContent,
        classes: className.split(' '),
        color: style.color,
        background: style.backgroundColor,
      })),
    ),
  )
  let cursor: string | undefined
  const shown = spans.map((row, y) => {
    let before = ''
    const runs = row.map((span) => {
      if (span.classes.includes('xterm-cursor')) cursor = `${y} ${before.length}`
      before += span.text
      return runOf(span)
    })
    return runs
  })
  return { rows: shown, cursor }
}

function runOf({ text, classes, color, background }: Span): Run {
  const named = (prefix: string): string | undefined =>
    classes.find((name) => name.startsWith(prefix))?.slice(prefix.length)
  const has = (name: string): boolean => classes.includes(`xterm-${name}`)
  const look = lookOf({
    fg: named('xterm-fg-') ?? hex(color) ?? 'default',
    bg: named('xterm-bg-') ?? hex(background) ?? 'default',
    bold: has('bold'),
    dim: has('dim'),
    italic: has('italic'),
    underline: Number(named('xterm-underline-') ?? 0),
    strike: has('strikethrough'),
    overline: has('overline'),
  })
  return { text: text.replaceAll('\u00a0', ' '), look }
}

function hex(color: string): string | undefined {
  const parts = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color)?.slice(1)
  return parts && `#${parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`
}

interface Look {
  readonly fg: string
  readonly bg: string
  readonly bold: boolean
  readonly dim: boolean
  readonly italic: boolean
  readonly underline: number
  readonly strike: boolean
  readonly overline: boolean
}

function lookOf({ fg, bg, bold, dim, italic, underline, strike, overline }: Look): string {
  const words = Object.entries({ bold, dim, italic, strike, overline }).flatMap(([word, is]) =>
    is ? word : [],
  )
  if (fg !== 'default') words.push(`fg ${fg}`)
  if (bg !== 'default') words.push(`bg ${bg}`)
  if (underline) words.push(`underline ${underline}`)
  return words.join(', ')
}

const onlyBackground = (look: string): string => /bg \S+(?=,|$)/.exec(look)?.[0] ?? ''

/** Joins runs of one look. A blank shows only its background, and blanks at the end of a line show nothing. */
function rowOf(runs: readonly Run[]): string {
  let row = ''
  let last = ''
  for (const { text, look } of runs) {
    for (const part of text.match(/ +|[^ ]+/g) ?? []) {
      const now = part.startsWith(' ') ? onlyBackground(look) : look
      if (now !== last) row += `{${now}}`
      last = now
      row += part
    }
  }
  return row.replace(/(\{[^}]*\}| )+$/, '')
}

/** Returns what the page shows, with the colours that it was allowed to choose named as they are in `expected`. */
export function settled(shown: Picture, expected: Picture): Drawing {
  const rows = shown.rows.map((row, y) => {
    const wanted = charactersOf(expected.rows[y] ?? [])
    const runs = charactersOf(row).map((one, x): Run => {
      const look = wanted[x]?.look ?? ''
      const [allowed, named] = new RegExp(`fg ${RAISED}([^,]+)`).exec(look) ?? []
      if (allowed === undefined) return one
      const chosen = /fg #[0-9a-f]{6}/.exec(one.look)?.[0] ?? ''
      // xterm.js decides for a whole run of one look, by its first character: not for text behind a line.
      if (!chosen && (one.look.includes(`fg ${named}`) || named === 'default')) return { ...one, look }
      return { ...one, look: one.look.replace(chosen, allowed) }
    })
    return rowOf(runs)
  })
  return { rows, cursor: shown.cursor }
}

const charactersOf = (runs: readonly Run[]): Run[] =>
  runs.flatMap(({ text, look }) => [...text].map((character) => ({ text: character, look })))

/** What the page must show for a screen, in a theme. */
export function expectedOf(screen: Screen, theme: Theme, columns = screen.columns): Picture {
  const { core } = insidesOf(screen)
  const painter = new Painter(core)
  const { lines, ybase, x: cursorX, y: cursorY } = core.buffers.active
  let cursor: string | undefined
  const rows = Array.from({ length: core.rows }, (_, y) => {
    const line = lines.get(ybase + y)
    const runs: Run[] = []
    let before = ''
    for (let x = 0; line && x < columns; ) {
      if (y === cursorY && x === cursorX && !core.coreService.isCursorHidden) cursor = `${y} ${before.length}`
      const { text, look, width } = painter.content(line, x)
      const shown = text === '' || look.fg & FG.invisible ? ' ' : text
      before += shown
      runs.push({ text: shown, look: drawn(look, shown, theme) })
      x += width
    }
    return runs
  })
  return { rows, cursor }
}

function drawn({ fg, bg, underline }: Attributes, text: string, theme: Theme): string {
  const isInverse = (fg & FG.inverse) !== 0
  const [bold, dim] = [(fg & FG.bold) !== 0, (bg & BG.dim) !== 0]
  const [front, back] = isInverse ? [bg, fg] : [fg, bg]
  const nothing = isInverse ? INVERSE_DEFAULT : 'default'
  const background = colorOf(back) ?? nothing
  const palette = colorOf(front) ?? nothing
  const foreground = bold && /^[0-7]$/.test(palette) ? String(Number(palette) + 8) : palette
  const isRaised =
    isRaisedFor(theme, foreground, background, isInverse, dim) && !/[\u2500-\u259f\ue0a0-\ue0d6]/.test(text)
  return lookOf({
    fg: isRaised ? RAISED + foreground : foreground,
    bg: background,
    ...{ bold, dim, underline },
    italic: (bg & BG.italic) !== 0,
    strike: (fg & FG.strike) !== 0,
    overline: (bg & BG.overline) !== 0,
  })
}

function colorOf(packed: number): string | undefined {
  const mode = packed & COLOR.mode
  if (mode === 0) return undefined
  if (mode === COLOR.rgb) return `#${(packed & 0xffffff).toString(16).padStart(6, '0')}`
  return String(packed & 0xff)
}

/** Whether the page must raise the contrast of such a cell. */
function isRaisedFor(theme: Theme, fg: string, bg: string, isInverse: boolean, dim: boolean): boolean {
  const { foreground, background } = theme.terminal
  // xterm.js 6.0.0 measures the default colour of inverse text as if it were not exchanged (DomRendererRowFactory).
  const [front, back] = isInverse ? [foreground, foreground] : [foreground, background]
  const color = (name: string, other: string): string =>
    name === 'default' || name === INVERSE_DEFAULT
      ? other
      : name.startsWith('#')
        ? name
        : paletteColor(theme, Number(name))
  return contrast(color(fg, front), color(bg, back)) < minimumContrast(theme) / (dim ? 2 : 1)
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
const BRIGHT = [
  ...['brightBlack', 'brightRed', 'brightGreen', 'brightYellow'],
  ...['brightBlue', 'brightMagenta', 'brightCyan', 'brightWhite'],
] as unknown as readonly (keyof Theme['terminal'])[]
const STEPS = [0, 95, 135, 175, 215, 255] // of the colour cube of xterm

function paletteColor(theme: Theme, number: number): string {
  const name = [...NAMES, ...BRIGHT][number]
  if (name) return theme.terminal[name]
  const cube = number - 16
  const parts =
    number >= 232
      ? [0, 0, 0].map(() => 8 + (number - 232) * 10)
      : [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => STEPS[step] ?? 0)
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

/** The contrast of two colours (WCAG 2.2, "contrast ratio"). */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
