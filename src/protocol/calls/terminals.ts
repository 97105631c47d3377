/** Calls about the terminals of a box. A connection shows one terminal at a time. */
import { call } from '../shapes/call.ts'
import { flag, list, nothing, type Of, object, optional, text } from '../shapes/shapes.ts'
import { environment, offset, target, terminalId, token, windowSize } from '../shapes/values.ts'

const WORD = 1 << 20 // characters of one word of a command

/** What a client is shown from now on. */
const shown = object({
  box: text(),
  pty: terminalId,
  detachKey: text(),
  /** How much of the client's input the terminal has. */
  taken: offset,
})
export type Shown = Of<typeof shown>

const range = object({ box: text(), from: offset, offset })

export const TERMINAL_CALLS = {
  attach: call(
    'Shows a terminal to this client: its screen, or its output from an offset on, and then what comes.',
    object({
      ...target,
      pty: terminalId,
      readonly: flag,
      size: optional(windowSize),
      /** The client's own terminal, for listings. */
      terminal: optional(text()),
      /** What the client has already of the terminal's output; else it gets the screen. */
      from: optional(offset),
      /** Of a client that comes back: what it knows of its input to have reached the terminal. */
      typed: optional(offset),
    }),
    shown,
  ),
  'shell.open': call(
    'Opens a shell, or takes a free one with the same command, and shows it.',
    object({
      ...target,
      command: list(text(WORD)),
      fresh: flag,
      term: text(),
      size: windowSize,
      terminal: optional(text()),
    }),
    shown,
  ),
  'pty.restart': call(
    'Ends the program of a terminal and starts it again. Attached clients stay.',
    object({ ...target, pty: terminalId, environment }),
    object({ box: text(), agent: text(), warnings: list(text(1 << 16)) }),
  ),
  'pty.kill': call('Hangs a terminal up.', object({ ...target, pty: terminalId }), object({ box: text() })),
  'pty.direct': call(
    'Hands over the descriptors of the shown terminal, to type into it directly. A socket for them was sent ahead.',
    object({ descriptors: token }),
    nothing,
  ),
  logs: call(
    'Sends the bytes of a terminal from an offset, or the oldest, on; `follow`: then what comes.',
    object({ ...target, pty: terminalId, follow: flag, from: optional(offset) }),
    range,
  ),
} as const
