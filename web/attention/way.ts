/** The way of an answer to an agent's terminal: a channel of its own, which changes nobody's size. */
import { computed } from '@preact/signals'
import { realClock } from '../../src/core/clock.ts'
import type { Connection } from '../connection/connection.ts'
import { TerminalLine } from '../connection/terminal-line.ts'
import { Answering } from './answering.ts'

/** Begins to answer. `close` ends that. */
export function openWay(
  connection: Connection,
  box: string,
  readonly: boolean,
): { readonly answering: Answering; close(): void } {
  const encoder = new TextEncoder()
  /** Output only says that the screen changes; it is not shown, and the next may come. */
  const heard = (shown: (() => void) | undefined): void => {
    shown?.()
    answering.changed()
  }
  const line = new TerminalLine(
    connection,
    { box, pty: 0, readonly },
    {
      output: (_bytes, _offset, shown?: () => void) => heard(shown),
      screen: (_bytes, _offset, shown?: () => void) => heard(shown),
      picture: (_bytes, shown?: () => void) => heard(shown),
      taken: (offset) => answering.taken(offset),
      notice: () => {},
      ended: () => void answering.read(),
      refused: () => void answering.read(), // whose error says why
      dropped: () => answering.lost(),
    },
  )
  const answering = new Answering(
    {
      isOpen: computed(() => line.state.value === 'attached' && !readonly),
      get typed() {
        return line.typed
      },
      send: (text) => line.send(encoder.encode(text)),
      readScreen: () => connection.call('screen', { box, cwd: '', pty: 0, styled: false }),
    },
    realClock,
  )
  line.attach()
  const stop = connection.onOnline(() => void answering.read())
  return {
    answering,
    close() {
      stop()
      answering.end()
      line.close()
    },
  }
}
