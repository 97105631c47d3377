/** The common part of `coop run` and `coop exec`: the command that they run, and whether it gets a terminal or pipes. */
import { CoopError } from '../../core/errors.ts'
import type { Declared } from './declare.ts'

export const COMMAND_ARGUMENT = {
  command: {
    type: 'positional',
    many: true,
    valueHint: 'CMD',
    complete: 'command',
    description: 'The command and its arguments.',
  },
} as const satisfies Declared

export const CWD_OPTION = {
  cwd: {
    type: 'string',
    valueHint: 'DIR',
    description: 'the folder in the box to start in',
  },
} as const satisfies Declared

export const TERMINAL_OPTIONS = {
  tty: { type: 'boolean', alias: 't', description: 'give the command a terminal' },
  'no-tty': { type: 'boolean', alias: 'T', description: 'give the command pipes, not a terminal' },
} as const satisfies Declared

/** Returns whether -t or -T was given; undefined if neither was. */
export function wantsTerminal(tty: boolean, noTty: boolean): boolean | undefined {
  if (tty && noTty)
    throw new CoopError('E_USAGE', 'the options -t and -T cannot be given together', {
      hint: 'leave one out',
    })
  return tty ? true : noTty ? false : undefined
}
