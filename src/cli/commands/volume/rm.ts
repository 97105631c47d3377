/** `coop volume rm`: removes volumes. */
import { askWorker } from '../../../client/image-worker.ts'
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command } from '../../common/declare.ts'
import { bytes, print } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'remove volumes',
    description: 'Remove named volumes with their content. A volume that a box uses stays.',
    examples: ['coop volume rm cache', 'coop volume rm login:claude'],
  },
  args: {
    names: {
      type: 'positional',
      required: true,
      many: true,
      valueHint: 'NAME',
      complete: 'volume',
      description: 'The volumes.',
    },
  },
  async run({ args: { names } }) {
    await afterEndedBoxes(userPaths())
    const { bytes: size } = await askWorker('volume.remove', { names }, () => {})
    print(`removed ${names.join(', ')}; freed ${bytes(size)}\n`)
    return 0
  },
})
