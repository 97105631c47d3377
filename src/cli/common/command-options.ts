/** What `coop run` and `coop exec` have in common: the command that they run, and whether it gets a terminal or pipes. */
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

export const TERMINAL_OPTIONS = {
  tty: { type: 'boolean', alias: 't', description: 'give the command a terminal' },
  'no-tty': { type: 'boolean', alias: 'T', description: 'give the command pipes, not a terminal' },
} as const satisfies Declared

/** What -t and -T say; undefined when neither is there. */
export function wantsTerminal(tty: boolean, noTty: boolean): boolean | undefined {
  if (tty && noTty)
    throw new CoopError('E_USAGE', 'the options -t and -T cannot be given together', {
      hint: 'leave one out',
    })
  return tty ? true : noTty ? false : undefined
}
