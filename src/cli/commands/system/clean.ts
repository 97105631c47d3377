/** `coop system clean`: removes images that no box uses. */
import { askWorker } from '../../../client/image-worker.ts'
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { unusedImages } from '../../../store/unused.ts'
import { confirm } from '../../common/ask-person.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { bytes, counted, print, printJson } from '../../common/output.ts'
import { warnings } from '../../common/worker-warnings.ts'

export default command({
  meta: {
    summary: 'remove images that no box uses',
    description:
      'Remove images that no box uses (asks for built ones), except images made of a box. --all: also downloads. Files that only a box can read are not counted as freed.',
    examples: ['coop system clean', 'coop system clean --all -f'],
  },
  args: {
    all: { type: 'boolean', description: 'also the layers as they were downloaded' },
    force: { type: 'boolean', alias: 'f', description: 'do not ask' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    await afterEndedBoxes(paths)
    const built = unusedImages(paths).filter((image) => image.built)
    // Others can be pulled again; the steps of a build may take an hour.
    if (built.length && !args.force)
      confirm(`Remove ${counted(built.length, 'image')} built with setup steps, which no box uses?`)
    const removed = await askWorker('image.clean', { downloads: args.all }, warnings())
    if (args.json) printJson(removed)
    else
      print(
        `removed ${counted(removed.references.length, 'image')}, ${counted(removed.layers, 'layer')}; freed ${bytes(removed.bytes)}\n`,
      )
    return 0
  },
})
