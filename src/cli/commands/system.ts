/** `coop system`: manages the daemon and the disk. */
import { command } from '../common/declare.ts'

export default command({
  meta: {
    summary: 'manage the daemon and the disk',
    description: 'Look at the coop daemon and its log, or stop it; show the use of the disk, and free it.',
    examples: ['coop system status', 'coop system df', 'coop system logs -f', 'coop system shutdown'],
    group: 'System',
  },
  args: {},
  subCommands: {
    status: () => import('./system/status.ts'),
    logs: () => import('./system/logs.ts'),
    df: () => import('./system/df.ts'),
    clean: () => import('./system/clean.ts'),
    prune: () => import('./system/prune.ts'),
    shutdown: () => import('./system/shutdown.ts'),
  },
})
