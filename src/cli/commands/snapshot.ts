/** `coop snapshot`: a box's files, kept and put back. */
import { command } from '../common/declare.ts'

export default command({
  meta: {
    summary: "keep a box's files, and put them back",
    description:
      "Keep a box's own files, and put them back. Its agent goes on meanwhile; a snapshot outlives its box.",
    examples: [
      'coop snapshot create before-upgrade --note "all tests green" --workspace',
      'coop snapshot ls',
      'coop snapshot restore before-upgrade',
    ],
    group: 'Boxes',
  },
  args: {},
  subCommands: {
    create: () => import('./snapshot/create.ts'),
    restore: () => import('./snapshot/restore.ts'),
    ls: () => import('./snapshot/ls.ts'),
    rm: () => import('./snapshot/rm.ts'),
  },
})
