/** Arguments that name a snapshot. */
import { BOX_ARGUMENT, type Declared } from '../../common/declare.ts'

export const SNAPSHOT_ARGUMENTS = {
  box: BOX_ARGUMENT,
  name: {
    type: 'positional',
    required: true,
    complete: 'snapshot',
    description: 'The name of the snapshot.',
  },
} as const satisfies Declared
