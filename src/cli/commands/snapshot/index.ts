/** `coop snapshot`: keeps copies of a box's files, and puts them back. */
import { command } from '../../common/declare.ts'

export default command({
  meta: {
    summary: "keep copies of a box's files, and put them back",
    description:
      "Keep copies of a box's own files, and put them back. The agent keeps running; a snapshot outlives its box.",
    examples: [
      'coop snapshot create before-upgrade --note "all tests green" --workspace',
      'coop snapshot ls',
      'coop snapshot restore before-upgrade',
      'coop snapshot undo',
    ],
    group: 'Boxes',
  },
  args: {},
  subCommands: {
    create: () => import('./create.ts'),
    restore: () => import('./restore.ts'),
    undo: () => import('./undo.ts'),
    ls: () => import('./ls.ts'),
    rm: () => import('./rm.ts'),
  },
})
