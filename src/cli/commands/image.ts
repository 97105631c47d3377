/** `coop image`: manages the images on this machine. */
import { command } from '../common/declare.ts'

export default command({
  meta: {
    summary: 'manage images',
    description: 'Manage the images that boxes start from.',
    examples: ['coop image pull debian:bookworm', 'coop image ls', 'coop image rm debian:bookworm'],
    group: 'Images and storage',
  },
  args: {},
  subCommands: {
    pull: () => import('./image/pull.ts'),
    ls: () => import('./image/ls.ts'),
    inspect: () => import('./image/inspect.ts'),
    publish: () => import('./image/publish.ts'),
    rm: () => import('./image/rm.ts'),
  },
})
