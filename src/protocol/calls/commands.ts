/** Calls that run one command on a client's behalf. */
import { call } from '../shapes/call.ts'
import { flag, list, type Of, object, optional, text } from '../shapes/shapes.ts'
import { boxOptions, environment, offset, target, token, windowFields, windowSize } from '../shapes/values.ts'

const WORD = 1 << 20 // characters of one word of a command

/** How a command is run. */
export const commandOptions = object({
  command: list(text(WORD)),
  token,
  /**
   * Runs it on a terminal of this size. `suspends`: the client handles `stopped`. Without a terminal `descriptors` is the token of the descriptors that were sent ahead.
   */
  terminal: optional(object({ ...windowFields, term: text(), suspends: optional(flag) })),
  descriptors: optional(text()),
  /** A folder in the box. */
  cwd: optional(text()),
  /** The caller's own folder. Without `cwd` the command starts there, if it is in the workspace. */
  callerCwd: optional(text()),
  env: optional(environment),
})
export type CommandOptions = Of<typeof commandOptions>

const begun = object({ box: text() })

export const COMMAND_CALLS = {
  run: call(
    'Runs a command in a new box, and removes the box afterwards.',
    object({ box: boxOptions, command: commandOptions }),
    begun,
  ),
  exec: call('Runs a command in a running box.', object({ ...target, command: commandOptions }), begun),
  rejoin: call(
    'Reconnects to a command of `run` or `exec` that was started with an earlier daemon.',
    object({
      token,
      from: optional(offset),
      typed: optional(offset),
      size: optional(windowSize),
    }),
    object({ box: text(), taken: optional(offset) }),
  ),
} as const
