/** Attributes of cells and of the pen, and the sequences that select them. */
import { type Attributed, BG, COLOR, FG } from './internals.ts'

export interface Attributes {
  /** Colour and flags as the library packs them, without those of the two fields below. */
  readonly fg: number
  readonly bg: number
  /** 0 means none; then single, double, curly, dotted, dashed. */
  readonly underline: number
  readonly underlineColor: number
  /** The library's number of a link, or 0. */
  readonly link: number
}

export const PLAIN: Attributes = { fg: 0, bg: 0, underline: 0, underlineColor: 0, link: 0 }

const SINGLE = 1
/** The library's value for "the default colour" (SGR 59). It is also white, which no program asks for. */
const UNDERLINE_RESET = 0x3ffffff

export function attributesOf(cell: Attributed): Attributes {
  const extended = (cell.bg & BG.extended) !== 0
  const of = attributes(cell, extended)
  return of.underline === 0 && of.underlineColor !== 0 ? { ...of, underlineColor: 0 } : of
}

/** The pen remembers an underline's colour even while it does not underline. */
export const attributesOfPen = (pen: Attributed): Attributes => attributes(pen, true)

function attributes(cell: Attributed, extended: boolean): Attributes {
  if (!extended && cell.fg === 0 && cell.bg === 0) return PLAIN
  const bits = extended ? cell.extended._ext : 0
  const underlined = (cell.fg & FG.underline) !== 0
  const color = bits & UNDERLINE_RESET
  return {
    fg: packed(cell.fg) & ~FG.underline,
    bg: packed(cell.bg) & ~BG.extended,
    underline: underlined ? (bits >>> 26) & 7 || SINGLE : 0,
    underlineColor: color === UNDERLINE_RESET ? 0 : packed(color),
    link: extended ? cell.extended.urlId : 0,
  }
}

/** Clears the bits that a true colour leaves when a palette colour follows it. */
function packed(color: number): number {
  const mode = color & COLOR.mode
  if (mode === COLOR.rgb) return color
  return mode === 0 ? color & ~0xffffff : color & ~0xffff00
}

/** Only the background of an empty cell is visible, unless it has one of these attributes. */
export function showsWhenEmpty(of: Attributes): boolean {
  return (of.fg & (FG.inverse | FG.strike)) !== 0 || (of.bg & BG.overline) !== 0 || of.underline !== 0
}

const backgrounds = new Map<number, Attributes>()

/** Attributes with only a background; the same object for the same colour. */
export function backgroundOf(of: Attributes): Attributes {
  const bg = of.bg & (COLOR.mode | 0xffffff)
  if (bg === 0) return PLAIN
  const known = backgrounds.get(bg)
  if (known) return known
  const made = { ...PLAIN, bg }
  if (backgrounds.size < 256) backgrounds.set(bg, made)
  return made
}

export function same(a: Attributes, b: Attributes): boolean {
  return a === b || (sameLook(a, b) && a.link === b.link)
}

export function sameLook(a: Attributes, b: Attributes): boolean {
  return (
    a.fg === b.fg && a.bg === b.bg && a.underline === b.underline && a.underlineColor === b.underlineColor
  )
}

/** The sequence that selects these attributes, whatever the pen was. Links are not included. */
export function select(to: Attributes): string {
  const codes: (number | string)[] = [0]
  if (to.fg & FG.bold) codes.push(1)
  if (to.bg & BG.dim) codes.push(2)
  if (to.bg & BG.italic) codes.push(3)
  if (to.underline === SINGLE) codes.push(4)
  else if (to.underline > 0) codes.push(`4:${to.underline}`)
  if (to.fg & FG.blink) codes.push(5)
  if (to.fg & FG.inverse) codes.push(7)
  if (to.fg & FG.invisible) codes.push(8)
  if (to.fg & FG.strike) codes.push(9)
  if (to.bg & BG.overline) codes.push(53)
  codes.push(...color(to.fg, 30), ...color(to.bg, 40))
  // Written with colons: a terminal that does not know 58 would read `58;5;1` as blinking and bold.
  const underline = color(to.underlineColor, 50)
  if (underline.length > 0) codes.push(underline.join(':').replace('58:2', '58:2:'))
  const guard = to.bg & BG.protected ? '\x1b[1"q' : ''
  return codes.length === 1 ? `\x1b[m${guard}` : `\x1b[${codes.join(';')}m${guard}`
}

function color(value: number, base: number): number[] {
  const index = value & 0xff
  switch (value & COLOR.mode) {
    case COLOR.palette16:
      if (base === 50) return [58, 5, index]
      return [index < 8 ? base + index : base + 60 + index - 8]
    case COLOR.palette256:
      return [base + 8, 5, index]
    case COLOR.rgb:
      return [base + 8, 2, (value >> 16) & 0xff, (value >> 8) & 0xff, index]
    default:
      return []
  }
}
