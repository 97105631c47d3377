/** `coop system`: the daemon itself. */
import { command } from '../common/declare.ts'

export default command({
  meta: {
    summary: 'manage the daemon and the disk',
    description:
      'The coop daemon and the disk: what it does, its log, stopping it; what is kept, removing it.',
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
