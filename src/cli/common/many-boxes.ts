/** The arguments of commands that end several boxes. */
import { CoopError } from '../../core/errors.ts'
import { BOX_ARGUMENT, type Declared } from './declare.ts'

export const BOXES = {
  boxes: {
    ...BOX_ARGUMENT,
    many: true,
    valueHint: 'BOX',
    description: 'The boxes: their names or the paths of their workspaces (default: that of this folder).',
  },
} as const satisfies Declared

export const END_OPTION = {
  force: { type: 'boolean', alias: 'f', description: 'do not give its programs 5 seconds to finish' },
} as const satisfies Declared

/** Raises E_USAGE when boxes are named and all are meant. */
export function namesOrAll(names: readonly string[], all: boolean): void {
  if (all && names.length)
    throw new CoopError('E_USAGE', '--all and the name of a box cannot be given together', {
      hint: 'leave one out',
    })
}
