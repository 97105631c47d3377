/** Calls about the terminals of a box. A connection shows one terminal at a time. */
import { call } from '../shapes/call.ts'
import { flag, integer, list, literal, nothing, type Of, object, optional, text } from '../shapes/shapes.ts'
import { environment, offset, target, terminalId, token, windowSize } from '../shapes/values.ts'

const WORD = 1 << 20 // characters of one word of a command

/** The terminal that a client sees from now on. */
const shown = object({
  box: text(),
  pty: terminalId,
  detachKey: text(),
  /** How many bytes of the client's input the terminal has. */
  taken: offset,
  /** The last report of the agent (the payload of an OSC 7501), for a terminal that knows them. */
  report: optional(text()),
})
export type Shown = Of<typeof shown>

const range = object({ box: text(), from: offset, offset })

export const TERMINAL_CALLS = {
  attach: call(
    'Shows a terminal to this client: its screen, or its output from an offset, and then new output.',
    object({
      ...target,
      pty: terminalId,
      readonly: flag,
      size: optional(windowSize),
      /** The client's own terminal, for listings. */
      terminal: optional(text()),
      /** The offset up to which the client has the terminal's output; without it, the client gets the screen. */
      from: optional(offset),
      /** For a client that comes back: how much of its input has reached the terminal, as far as it knows. */
      typed: optional(offset),
    }),
    shown,
  ),
  'shell.open': call(
    'Opens a shell, or takes a shell with the same command and no attached client, and shows it.',
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
    'Passes the descriptors of the shown terminal to a socket that was sent ahead, for typing into it directly.',
    object({ descriptors: token }),
    nothing,
  ),
  screen: call(
    'Returns what is on a terminal now, as text: a line for each row. `styled`: with SGR sequences for its colours.',
    object({ ...target, pty: terminalId, styled: flag }),
    object({
      box: text(),
      pty: terminalId,
      columns: integer(1, 9999),
      rows: integer(1, 9999),
      /** From 0; the column is that of the next character. */
      cursor: object({ column: integer(0, 9999), row: integer(0, 9999), visible: flag }),
      title: text(),
      /** A full-screen program has switched to the alternate screen. */
      alternate: flag,
      lines: list(text(1 << 20)),
      /** The screen was too long for a message: its lowest rows are missing. */
      cut: optional(literal(true)),
    }),
  ),
  logs: call(
    'Sends the output of a terminal from an offset, or from the oldest byte; with `follow`, also new output.',
    object({ ...target, pty: terminalId, follow: flag, from: optional(offset) }),
    range,
  ),
} as const
