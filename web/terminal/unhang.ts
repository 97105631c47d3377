/** A correction of xterm.js that needs one of its internals. */
import type { Terminal } from '@xterm/xterm'

interface Insides {
  readonly _core?: { readonly buffers?: { readonly active?: { x: number } } }
}

/**
 * Without autowrap the cursor stays on the last column; the library lets it hang beyond, and wrap once that is on. The
 * daemon corrects its own emulator in the same way (src/screen/guards.ts).
 */
export function unhang(terminal: Terminal): void {
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => {
    const active = (terminal as Insides)._core?.buffers?.active
    const turnsOn = params.includes(7) && !terminal.modes.wraparoundMode
    if (turnsOn && active && active.x >= terminal.cols) active.x = terminal.cols - 1
    return false
  })
}
