/** Turns scrolled rows into what the terminal would do for a wheel: it knows the program's modes and encodings. */
import type { ShownTerminal } from '../app.ts'

/** Programs scroll about three rows for a turn of the wheel: so the text stays under the finger. */
const ROWS_A_TURN = 3

/** The height, in pixels of a finger's way, of one step. */
export function stepSize({ rowHeight, wantsMouse }: ShownTerminal): number {
  return wantsMouse ? rowHeight * ROWS_A_TURN : rowHeight
}

/** Scrolls by so many steps at a place of the page: negative ones go up. */
export function scrollSteps(terminal: ShownTerminal, steps: number, x: number, y: number): void {
  if (!steps) return
  if (!terminal.wantsMouse && !terminal.isAlternate) return terminal.scroll(steps)
  // A report of the wheel, or an arrow key for a full-screen program without the mouse: one for each event.
  const screen = terminal.element.querySelector('.xterm-screen')
  if (!screen) return
  const area = screen.getBoundingClientRect()
  const place = {
    clientX: Math.min(Math.max(x, area.left + 1), area.right - 1),
    clientY: Math.min(Math.max(y, area.top + 1), area.bottom - 1),
  }
  for (let left = Math.abs(steps); left > 0; left--)
    screen.dispatchEvent(
      new WheelEvent('wheel', {
        ...place,
        deltaY: Math.sign(steps),
        deltaMode: WheelEvent.DOM_DELTA_LINE,
        bubbles: true,
        cancelable: true,
      }),
    )
}
