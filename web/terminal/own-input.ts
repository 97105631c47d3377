/**
 * Tells what a person typed from the terminal's own answers to the program. The daemon answers programs, for every page
 * the same (src/answers); an answer of the page, too, would be typed into the program a second time.
 */
import type { IDisposable, Terminal } from '@xterm/xterm'

/** The part of the library's inside that knows it: `onData` reports both without a difference. */
interface Inside {
  readonly _core: { readonly coreService: { onUserInput(listener: () => void): IDisposable } }
}

/** Calls back with what a person types, pastes or clicks. */
export function onOwnInput(terminal: Terminal, listener: (bytes: Uint8Array) => void): void {
  const encoder = new TextEncoder()
  let isOwn = false
  const { coreService } = (terminal as unknown as Inside)._core
  coreService.onUserInput(() => {
    isOwn = true // `onData` follows within the same call
  })
  terminal.onData((text) => {
    if (isOwn) listener(encoder.encode(text))
    isOwn = false
  })
  // Reports of the pointer in the oldest encoding; no program gets answers this way.
  terminal.onBinary((text) => listener(Uint8Array.from(text, (character) => character.charCodeAt(0))))
}
