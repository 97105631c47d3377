/** `coop kill`: end a box and remove it. */
import { ask } from '../../client/ask.ts'
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { print } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

export default command({
  meta: {
    summary: 'end a box and remove it',
    description: 'End every process of a box and remove it. Volumes and persistent folders stay.',
    examples: ['coop kill', 'coop kill my-app -f', 'coop kill --all'],
    group: 'Boxes',
  },
  args: {
    box: BOX_ARGUMENT,
    all: { type: 'boolean', description: 'all boxes' },
    force: { type: 'boolean', alias: 'f', description: 'at once, without the 5 seconds to finish' },
  },
  async run({ args }) {
    const force = args.force
    if (!args.all) {
      const { box } = await ask(userPaths(), 'box.kill', { ...targetOf(args.box), force })
      print(`the box ${box} is gone\n`)
      return 0
    }
    if (args.box !== undefined)
      throw new CoopError('E_USAGE', '--all and the name of a box cannot be given together', {
        hint: 'leave one out',
      })
    const session = await connect(userPaths())
    const boxes = await session.call('box.list', {})
    await Promise.all(boxes.map(({ name }) => session.call('box.kill', { box: name, cwd: '/', force })))
    print(
      boxes.length ? `${boxes.length} ${boxes.length === 1 ? 'box is' : 'boxes are'} gone\n` : 'no boxes\n',
    )
    return 0
  },
})
