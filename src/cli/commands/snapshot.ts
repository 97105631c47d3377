/** `coop snapshot`: a box's files, kept and put back. */

import { CoopError } from '../../core/errors.ts'
import type { Target } from '../../protocol/values.ts'
import type { Arguments, Command } from '../common/declare.ts'
import { targetOf } from '../common/target.ts'

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

/** `[BOX] NAME`: a single argument is the snapshot's. */
export function snapshotTarget({ positionals }: Arguments, command: string): Target & { name: string } {
  const name = positionals.at(-1)
  if (name === undefined)
    throw new CoopError('E_USAGE', `snapshot ${command} needs the name of a snapshot`, {
      hint: `coop snapshot ${command} [BOX] NAME`,
    })
  return { name, ...targetOf(positionals.length > 1 ? positionals[0] : undefined) }
}

const command: Command = {
  usage: 'COMMAND',
  about:
    "Keep a box's own files, and put them back. Its agent goes on meanwhile; a snapshot outlives its box.",
  examples: [
    'coop snapshot create before-upgrade --note "all tests green" --workspace',
    'coop snapshot ls',
    'coop snapshot restore before-upgrade',
  ],
  options: {},
  commands: {
    create: { about: "keep a box's files", load: () => from(import('./snapshot/create.ts')) },
    restore: { about: 'put them back', load: () => from(import('./snapshot/restore.ts')) },
    ls: { about: 'list snapshots', load: () => from(import('./snapshot/ls.ts')) },
    rm: { about: 'remove a snapshot', load: () => from(import('./snapshot/rm.ts')) },
  },
}

export default command
