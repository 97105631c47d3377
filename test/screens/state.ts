/** The whole state of a screen as plain data: two screens are alike when these are equal. */

import { inOneColumn } from '../../src/screen/clusters.ts'
import type { Saved } from '../../src/screen/extras.ts'
import { lastPrinted } from '../../src/screen/guards.ts'
import { type Buffer, designationOf } from '../../src/screen/internals.ts'
import { Painter } from '../../src/screen/painter.ts'
import { type Attributes, attributesOfPen, backgroundOf, select } from '../../src/screen/pen.ts'
import { insidesOf, type Screen } from '../../src/screen/screen.ts'
import { isLoneMark } from '../../src/screen/width.ts'

export function stateOf(screen: Screen): Record<string, unknown> {
  const { core, extras } = insidesOf(screen)
  const { normal, alt, active } = core.buffers
  const painter = new Painter(core)
  const { options, coreService, coreMouseService, _charsetService, _inputHandler } = core
  const look = (of: Attributes) => {
    const link = of.link === 0 ? undefined : core._oscLinkService.getLinkData(of.link)
    return `${select(of).slice(1)} ${link ? `${link.id ?? ''}|${link.uri}` : ''}`
  }
  const row = (buffer: Buffer, y: number) => {
    const line = buffer.lines.get(y)
    if (!line) return 'none'
    let text = ''
    let last = ''
    for (let x = 0; x < core.cols; ) {
      const content = painter.content(line, x)
      // A mark that stands alone was moved there by inserting or deleting: only its background can be made again.
      const now = look(isLoneMark(content.text) ? backgroundOf(content.look) : content.look)
      if (now !== last) text += `{${now}}`
      last = now
      if (isLoneMark(content.text)) text += ' '
      const shown = content.width === 1 ? inOneColumn(content.text) : content.text
      text += shown === '' ? '·' : shown === ' ' && x === core.cols - 1 ? '·' : shown
      x += content.width
    }
    // The first line's mark cannot be made again once the line before it left the scrollback.
    const wrapped = line.isWrapped && (y > 0 || buffer === alt) && core.rows > 1
    return `${wrapped ? '↪' : ' '}${text}`
  }
  const saved = (of: Saved, { scrollTop, scrollBottom }: Buffer) => ({
    // In origin mode the cursor is restored into the region, wherever it was.
    y: of.origin ? Math.max(scrollTop, Math.min(scrollBottom, of.y)) : of.y,
    ...{ x: of.x, origin: of.origin, level: of.level },
    charsets: [0, 1, 2, 3].map((slot) => designationOf(of.charsets[slot])).join(''),
    pen: of.extended ? select(attributesOfPen({ fg: of.fg, bg: of.bg, extended: of.extended })) : '\x1b[m',
  })
  const rows = (buffer: Buffer) => Array.from({ length: buffer.lines.length }, (_, y) => row(buffer, y))
  const shape = (buffer: Buffer) => ({
    rows: rows(buffer),
    ...{ top: buffer.scrollTop, bottom: buffer.scrollBottom, base: buffer.ybase },
    tabs: Array.from({ length: core.cols }, (_, x) => (buffer.tabs[x] ? 'T' : '.')).join(''),
    saved: saved(extras.saved(buffer), buffer),
  })
  return {
    size: [core.cols, core.rows],
    normal: shape(normal),
    normalLine: normal.y,
    alt: active === alt ? shape(alt) : saved(extras.saved(alt), alt),
    cursor: [active.x, active.y],
    pen: look(attributesOfPen(_inputHandler._curAttrData)),
    charsets: [0, 1, 2, 3].map((slot) => designationOf(_charsetService._charsets[slot])).join(''),
    level: _charsetService.glevel,
    modes: { ...coreService.decPrivateModes, ...coreService.modes, cursorBlink: 0, cursorStyle: 0 },
    hidden: coreService.isCursorHidden,
    newline: options.convertEol,
    mouse: [coreMouseService.activeProtocol, coreMouseService.activeEncoding],
    preceding: lastPrinted(core),
    parser: _inputHandler._parser.currentState,
    extras: {
      ...{ keyboards: extras.keyboards, modifiers: [...extras.modifiers], title: extras.title },
      titleStack: extras.titleStack,
      ...{ colors: Object.fromEntries(extras.colors), style: extras.cursorStyle, modes: [...extras.modes] },
    },
  }
}

/**
 * Whether there are erased cells whose attributes show (underlined, inverse): the restored screen has spaces there.
 * They look the same, but such a line counts as longer when the width changes.
 */
export function hasShownBlanks(screen: Screen): boolean {
  const { core } = insidesOf(screen)
  const painter = new Painter(core)
  const { lines } = core.buffers.normal
  for (let y = 0; y < lines.length; y++) {
    const line = lines.get(y)
    for (let x = 0; line && x < core.cols; x++) if (painter.content(line, x).wasEmpty) return true
  }
  return false
}
