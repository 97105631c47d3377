/** `coop volume`: manages named volumes. */
import { command } from '../../common/declare.ts'

export default command({
  meta: {
    summary: 'manage named volumes',
    description: 'Manage named volumes: storage that outlives boxes.',
    examples: ['coop volume ls', 'coop volume rm cache', 'coop volume prune'],
    group: 'Images and storage',
  },
  args: {},
  subCommands: {
    ls: () => import('./ls.ts'),
    rm: () => import('./rm.ts'),
    prune: () => import('./prune.ts'),
  },
})
