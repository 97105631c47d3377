/** `coop system prune`: removes everything. */
import { connect } from '../../../client/daemon.ts'
import { askWorker } from '../../../client/image-worker.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { confirm } from '../../common/ask-person.ts'
import { command } from '../../common/declare.ts'
import { killAll } from '../../common/kill-all.ts'
import { bytes, counted, print } from '../../common/output.ts'
import { warnings } from '../../common/worker-warnings.ts'

export default command({
  meta: {
    summary: 'remove everything',
    description:
      'Remove every box, snapshot, image and volume, the persistent folders of agents, and downloaded layers. Workspaces and configuration stay.',
    examples: ['coop system prune', 'coop system prune -f'],
  },
  args: {
    force: { type: 'boolean', alias: 'f', description: 'do not ask' },
  },
  async run({ args }) {
    const paths = userPaths()
    if (!args.force) confirm('Remove all boxes, snapshots, images, volumes and persistent folders of agents?')
    const session = await connect(paths) // boxes may be there without a daemon
    const boxes = await killAll(session, true)
    const { images, volumes, snapshots, bytes: freed } = await askWorker('system.prune', {}, warnings())
    const counts = [
      counted(boxes, 'box', 'boxes'),
      counted(snapshots, 'snapshot'),
      counted(images, 'image'),
      counted(volumes, 'volume'),
    ]
    print(`removed ${counts.join(', ')}; freed ${bytes(freed)}\n`)
    return 0
  },
})
