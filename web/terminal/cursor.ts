/** A part of xterm.js that only one of its internals offers. */
import type { Terminal } from '@xterm/xterm'

interface Inside {
  readonly _core?: { readonly coreService?: { isCursorInitialized: boolean } }
}

/** Draws the cursor from the start. The library waits for the first focus, which a phone that looks on never gives it. */
export function showCursor(terminal: Terminal): void {
  const service = (terminal as unknown as Inside)._core?.coreService
  if (service) service.isCursorInitialized = true
}
