/** `coop volume rm`: take volumes away. */
import { askWorker } from '../../../client/image-worker.ts'
import { CoopError } from '../../../core/errors.ts'
import type { Command } from '../../common/declare.ts'
import { bytes, print } from '../../common/output.ts'

const command: Command = {
  usage: 'NAME…',
  about: 'Remove named volumes and what is in them. One that a box uses stays.',
  examples: ['coop volume rm cache'],
  options: {},
  async run({ positionals: names }) {
    if (!names.length)
      throw new CoopError('E_USAGE', 'coop volume rm needs a name', { hint: 'coop volume ls' })
    const { bytes: size } = await askWorker('volume.remove', { names }, () => {})
    print(`removed ${names.join(', ')}; freed ${bytes(size)}\n`)
    return 0
  },
}

export default command
