/** `coop system clean`: removes images that no box uses. */
import { askWorker } from '../../../client/image-worker.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { bytes, counted, print, printJson } from '../../common/output.ts'
import { warnings } from '../../common/worker-warnings.ts'

export default command({
  meta: {
    summary: 'remove images that no box uses',
    description:
      'Remove the images that no box uses, except images made of a box. With --all, also remove downloaded layers.',
    examples: ['coop system clean', 'coop system clean --all'],
  },
  args: {
    all: { type: 'boolean', description: 'also the layers as they were downloaded' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const removed = await askWorker('image.clean', { downloads: args.all }, warnings())
    if (args.json) printJson(removed)
    else
      print(
        `removed ${counted(removed.references.length, 'image')}, ${counted(removed.layers, 'layer')}; freed ${bytes(removed.bytes)}\n`,
      )
    return 0
  },
})
