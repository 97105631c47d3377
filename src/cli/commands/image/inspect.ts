/** `coop image inspect`: shows everything about an image. */
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { unpackedSize } from '../../../store/images.ts'
import { usersOf } from '../../../store/usage.ts'
import { command } from '../../common/declare.ts'
import { printJson } from '../../common/output.ts'
import { findImage } from './find.ts'

export default command({
  meta: {
    summary: 'show everything about an image',
    description: 'Show everything about an image, as JSON.',
    examples: ['coop image inspect debian:bookworm'],
  },
  args: {
    reference: { type: 'positional', required: true, complete: 'image', description: 'The image.' },
    json: { type: 'boolean', description: 'no effect: the output is always JSON' },
  },
  async run({ args }) {
    const paths = userPaths()
    const record = findImage(paths, args.reference)
    await afterEndedBoxes(paths)
    // The unpacked size, as in `image ls`: the download is smaller, and a build has none.
    printJson({ ...record, size: unpackedSize(paths, record), usedBy: usersOf(paths, record) })
    return 0
  },
})
