/** Calls that run one command on a client's behalf. */
import { call } from '../shapes/call.ts'
import { list, type Of, object, optional, text } from '../shapes/shapes.ts'
import { boxOptions, environment, offset, target, token, windowFields, windowSize } from '../shapes/values.ts'

const WORD = 1 << 20 // characters of one word of a command

/** What a command is run with. */
export const commandOptions = object({
  command: list(text(WORD)),
  token,
  /** A terminal of this size; else descriptors that were sent ahead under a token. */
  terminal: optional(object({ ...windowFields, term: text() })),
  descriptors: optional(text()),
  /** In the box. */
  cwd: optional(text()),
  /** The caller's own folder: the command starts there without `cwd`, if it is in the workspace. */
  callerCwd: optional(text()),
  env: optional(environment),
})
export type CommandOptions = Of<typeof commandOptions>

const begun = object({ box: text() })

export const COMMAND_CALLS = {
  run: call(
    'Runs a command in a new box, which is removed afterwards.',
    object({ box: boxOptions, command: commandOptions }),
    begun,
  ),
  exec: call('Runs a command in a running box.', object({ ...target, command: commandOptions }), begun),
  rejoin: call(
    'Goes on with a command of `run` or `exec` that was started with an earlier daemon.',
    object({
      token,
      from: optional(offset),
      typed: optional(offset),
      size: optional(windowSize),
    }),
    object({ box: text(), taken: optional(offset) }),
  ),
} as const
