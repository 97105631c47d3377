/** `coop volume prune`: removes volumes that no box uses. */
import { askWorker } from '../../../client/image-worker.ts'
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { listVolumes } from '../../../worker/disk-use.ts'
import { confirm } from '../../common/ask-person.ts'
import { command } from '../../common/declare.ts'
import { bytes, print } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'remove volumes that no box uses',
    description: 'Remove the volumes that no box uses, with their content. Logins of agents stay.',
    examples: ['coop volume prune', 'coop volume prune -f'],
  },
  args: {
    force: { type: 'boolean', alias: 'f', description: 'do not ask' },
  },
  async run({ args }) {
    const paths = userPaths()
    await afterEndedBoxes(paths)
    const names = listVolumes(paths)
      .filter(({ usedBy, isLogin }) => !usedBy.length && !isLogin)
      .map(({ name }) => name)
    if (!names.length) {
      print('no unused volumes\n')
      return 0
    }
    if (!args.force) confirm(`Remove ${names.join(', ')}?`)
    const { bytes: size } = await askWorker('volume.remove', { names }, () => {})
    print(`removed ${names.join(', ')}; freed ${bytes(size)}\n`)
    return 0
  },
})
