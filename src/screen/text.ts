/** What is on a screen now, as text: for people, scripts and notifications. */
import type { Steps } from '../core/steps.ts'
import type { WindowSize } from '../core/window-size.ts'
import { withoutUnseemly } from '../vt/characters.ts'
import type { Extras } from './extras.ts'
import { BG, type Core, type Line } from './internals.ts'
import { type Content, Painter } from './painter.ts'
import { type Attributes, PLAIN, sameLook, select } from './pen.ts'

/** Bytes of all rows as JSON: a reply to a client has 1 MiB at most. Real screens with colours have 100 KiB. */
const MAX_BYTES = 900_000

export interface ScreenText extends WindowSize {
  /** From 0; the column is that of the next character. */
  readonly cursor: { readonly column: number; readonly row: number; readonly visible: boolean }
  readonly title: string
  /** Whether a full-screen program has switched to the alternate screen. */
  readonly alternate: boolean
  /** One for each row, without blanks at its end. */
  readonly lines: readonly string[]
  /** Set when a hostile screen was too long; the lowest rows are missing then. */
  readonly cut?: true
}

/** `styled`: with the sequences for colours and other looks (SGR), and no others. */
export function* screenText(core: Core, extras: Extras, styled: boolean): Steps<ScreenText> {
  const { active, alt } = core.buffers
  const painter = new Painter(core)
  const lines: string[] = []
  let left = MAX_BYTES
  for (let row = 0; row < core.rows; row++) {
    const line = rowText(painter, active.lines.get(active.ybase + row), styled)
    left -= Buffer.byteLength(JSON.stringify(line)) + 1
    if (left < 0) break
    lines.push(line)
    yield
  }
  return {
    columns: core.cols,
    rows: core.rows,
    cursor: {
      column: Math.min(active.x, core.cols - 1),
      row: active.y,
      visible: !core.coreService.isCursorHidden,
    },
    title: withoutUnseemly(extras.title.window ?? ''),
    alternate: active === alt,
    lines,
    ...(lines.length < core.rows ? { cut: true as const } : {}),
  }
}

function rowText(painter: Painter, line: Line | undefined, styled: boolean): string {
  let text = ''
  let pen: Attributes = PLAIN
  // Without the blanks at the end that nobody sees.
  let used = 0
  let usedPen = PLAIN
  for (let x = 0; line !== undefined && x < line.length; ) {
    const content = painter.content(line, x)
    const look = visible(content.look)
    if (styled && !sameLook(pen, look)) {
      text += select(look)
      pen = look
    }
    text += shown(content)
    x += Math.max(1, content.width)
    if (isBlank(content) && (!styled || look === PLAIN)) continue
    used = text.length
    usedPen = pen
  }
  const end = sameLook(usedPen, PLAIN) ? '' : select(PLAIN)
  return text.slice(0, used) + end
}

/** A protected cell looks like others; marking it would need a sequence that is no SGR. */
function visible(look: Attributes): Attributes {
  if (look === PLAIN) return PLAIN
  return { ...look, bg: look.bg & ~BG.protected, link: 0 }
}

const isBlank = ({ text }: Content): boolean => text === '' || text === ' '

/** Marks without a character of their own must not change how the row reads, nor shift the rest of it. */
function shown({ text, width }: Content): string {
  return withoutUnseemly(text) || ' '.repeat(Math.max(1, width))
}
