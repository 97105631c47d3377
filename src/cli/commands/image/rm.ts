/** `coop image rm`: removes images, with the layers that nothing else uses. */
import { askWorker } from '../../../client/image-worker.ts'
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { shortReference } from '../../../image/reference.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { bytes, counted, print, printable, printJson } from '../../common/output.ts'
import { warnings } from '../../common/worker-warnings.ts'
import { findImage } from './find.ts'

export default command({
  meta: {
    summary: 'remove images',
    description: 'Remove images that no box uses, with the layers that nothing else needs.',
    examples: ['coop image rm debian:bookworm'],
  },
  args: {
    references: {
      type: 'positional',
      required: true,
      many: true,
      valueHint: 'REFERENCE',
      complete: 'image',
      description: 'The images.',
    },
    force: {
      type: 'boolean',
      alias: 'f',
      description: 'remove it even if boxes use it; they keep its layers',
    },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    const references = args.references.map((text) => findImage(paths, text).reference)
    await afterEndedBoxes(paths)
    const removed = await askWorker('image.remove', { references, force: args.force }, warnings())
    if (args.json) printJson(removed)
    else
      print(
        `removed ${references.map((name) => printable(shortReference(name))).join(', ')}: ${counted(removed.layers, 'layer')}, ${bytes(removed.bytes)}\n`,
      )
    return 0
  },
})
