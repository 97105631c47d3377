/** `coop image`: images on this machine. */
import type { Command } from '../common/declare.ts'

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

const command: Command = {
  usage: 'COMMAND',
  about: 'The images that boxes start from.',
  examples: ['coop image pull debian:bookworm', 'coop image ls', 'coop image rm debian:bookworm'],
  options: {},
  commands: {
    pull: { about: 'download an image and unpack it', load: () => from(import('./image/pull.ts')) },
    ls: { about: 'list the images', load: () => from(import('./image/ls.ts')) },
    inspect: { about: 'show everything about an image', load: () => from(import('./image/inspect.ts')) },
    publish: {
      about: 'make an image of a box or a snapshot',
      load: () => from(import('./image/publish.ts')),
    },
    rm: { about: 'remove images', load: () => from(import('./image/rm.ts')) },
  },
}

export default command
