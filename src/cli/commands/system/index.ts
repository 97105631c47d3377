/** `coop system`: manages the daemon and the disk. */
import { command } from '../../common/declare.ts'

export default command({
  meta: {
    summary: 'manage the daemon and the disk',
    description: 'Look at the coop daemon and its log, or stop it; show the use of the disk, and free it.',
    examples: ['coop system status', 'coop system df', 'coop system logs -f', 'coop system shutdown'],
    group: 'System',
  },
  args: {},
  subCommands: {
    status: () => import('./status.ts'),
    logs: () => import('./logs.ts'),
    df: () => import('./df.ts'),
    clean: () => import('./clean.ts'),
    prune: () => import('./prune.ts'),
    shutdown: () => import('./shutdown.ts'),
  },
})
