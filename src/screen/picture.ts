/**
 * Shows a screen in a window of another size. The program's output fits only a terminal of its own size: elsewhere
 * lines would wrap and scroll in the wrong place. Such a window therefore gets pictures, line by line.
 */

import type { Steps } from '../core/steps.ts'
import type { WindowSize } from '../core/window-size.ts'
import type { Extras } from './extras.ts'
import type { Core } from './internals.ts'
import { colors, keyboard, modes, title } from './modes.ts'
import { Painter } from './painter.ts'
import type { Picture } from './pictures.ts'

/** The top lines, or those around the cursor if the window is lower; columns from the left. */
export function* picture(core: Core, extras: Extras, window: WindowSize): Steps<Picture> {
  const { active, alt } = core.buffers
  const painter = new Painter(core)
  const top = Math.max(0, Math.min(active.y, core.rows - 1) - window.rows + 1)
  const rows: string[] = []
  for (let row = 0; row < window.rows; row++) {
    painter.write('\x1b[m\x1b[2K')
    if (row === core.rows) painter.write(sizeNote(core, window))
    else if (row < core.rows) {
      painter.line(active.lines.get(active.ybase + top + row), window.columns)
      yield
    }
    rows.push(painter.take())
  }
  const { keyboards } = extras
  const x = Math.min(active.x, core.cols - 1)
  return {
    modes: colors(extras) + keyboard(active === alt ? keyboards.alt : keyboards.normal) + modes(core, extras),
    title: title(extras.title),
    rows,
    cursor:
      core.coreService.isCursorHidden || x >= window.columns
        ? '\x1b[?25l'
        : `\x1b[${active.y - top + 1};${x + 1}H\x1b[?25h`,
  }
}

/** A note below the picture, if there is room: without it the picture would look like a mistake. */
function sizeNote({ cols, rows }: Core, { columns }: WindowSize): string {
  const note = `[the program has ${cols}x${rows}]`
  return note.length < columns ? `\x1b[0;2m${note}\x1b[m` : ''
}
