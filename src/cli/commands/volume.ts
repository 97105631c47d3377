/** `coop volume`: named volumes. */
import type { Command } from '../common/declare.ts'

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

const command: Command = {
  usage: 'COMMAND',
  about: 'Named volumes: storage that outlives boxes.',
  examples: ['coop volume ls', 'coop volume rm cache', 'coop volume prune'],
  options: {},
  commands: {
    ls: { about: 'list the volumes', load: () => from(import('./volume/ls.ts')) },
    rm: { about: 'remove volumes', load: () => from(import('./volume/rm.ts')) },
    prune: { about: 'remove volumes that no box uses', load: () => from(import('./volume/prune.ts')) },
  },
}

export default command
