/** `coop image`: manages the images on this machine. */
import { command } from '../../common/declare.ts'

export default command({
  meta: {
    summary: 'manage images',
    description: 'Manage the images that boxes start from.',
    examples: ['coop image pull debian:bookworm', 'coop image ls', 'coop image rm debian:bookworm'],
    group: 'Images and storage',
  },
  args: {},
  subCommands: {
    pull: () => import('./pull.ts'),
    ls: () => import('./ls.ts'),
    inspect: () => import('./inspect.ts'),
    publish: () => import('./publish.ts'),
    rm: () => import('./rm.ts'),
  },
})
