/** `coop system`: the daemon itself. */
import type { Command } from '../common/declare.ts'

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

const command: Command = {
  usage: 'COMMAND',
  about: 'The coop daemon and the disk: what it does, its log, stopping it; what is kept, removing it.',
  examples: ['coop system status', 'coop system df', 'coop system logs -f', 'coop system shutdown'],
  options: {},
  commands: {
    status: { about: 'what the daemon does', load: () => from(import('./system/status.ts')) },
    logs: { about: "the daemon's log", load: () => from(import('./system/logs.ts')) },
    df: { about: 'what coop takes of the disk', load: () => from(import('./system/df.ts')) },
    clean: { about: 'remove images that no box uses', load: () => from(import('./system/clean.ts')) },
    prune: {
      about: 'remove everything: boxes, images, volumes',
      load: () => from(import('./system/prune.ts')),
    },
    shutdown: { about: 'stop the daemon; boxes go on', load: () => from(import('./system/shutdown.ts')) },
  },
}

export default command
