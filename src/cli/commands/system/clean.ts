/** `coop system clean`: images that no box uses. */
import { askWorker } from '../../../client/image-worker.ts'
import type { Command } from '../../common/declare.ts'
import { bytes, counted, print, printJson } from '../../common/output.ts'
import { warn } from '../../common/worker-warnings.ts'

const command: Command = {
  usage: '[--all]',
  about: 'Remove the images that no box uses; with --all also what was downloaded.',
  examples: ['coop system clean', 'coop system clean --all'],
  options: {
    all: { type: 'boolean', about: 'also the layers as they were downloaded' },
    json: { type: 'boolean', about: 'machine-readable output' },
  },
  maxArguments: 0,
  async run(args) {
    const removed = await askWorker('image.clean', { downloads: args.flag('all') }, warn)
    if (args.flag('json')) printJson(removed)
    else
      print(
        `removed ${counted(removed.references.length, 'image')}, ${counted(removed.layers, 'layer')}; freed ${bytes(removed.bytes)}\n`,
      )
    return 0
  },
}

export default command
