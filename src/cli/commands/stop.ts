/** `coop stop`: ends the processes of boxes and keeps their files. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { print } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

export default command({
  meta: {
    summary: 'end the processes of boxes, keep their files',
    description: 'End every process of a box and keep its files. coop start starts it again.',
    examples: ['coop stop', 'coop stop my-app -f', 'coop stop one two', 'coop stop --all'],
    group: 'Boxes',
  },
  args: {
    boxes: {
      ...BOX_ARGUMENT,
      many: true,
      valueHint: 'BOX',
      description: 'The boxes: their names or the paths of their workspaces (default: that of this folder).',
    },
    all: { type: 'boolean', description: 'all boxes that run' },
    force: { type: 'boolean', alias: 'f', description: 'do not give its programs 5 seconds to finish' },
  },
  async run({ args }) {
    const { boxes: wanted, force } = args
    if (args.all && wanted.length)
      throw new CoopError('E_USAGE', '--all and the name of a box cannot be given together', {
        hint: 'leave one out',
      })
    const session = await connect(userPaths())
    const stop = async (box: string): Promise<void> => {
      await session.call('box.stop', { box, cwd: '/', force })
      print(`the box ${box} is stopped; start it again: coop start ${box}\n`)
    }
    if (args.all) {
      const boxes = await session.call('box.list', {})
      const running = boxes.filter(({ state }) => state !== 'stopped' && state !== 'unknown')
      await Promise.all(running.map(({ name }) => stop(name)))
      if (!running.length) print('no box is running\n')
      return 0
    }
    const find = (one: string | undefined) => session.call('box.find', { ...targetOf(one), unknown: true })
    // All of them are looked for first: of a list with a mistyped name nothing is stopped.
    const found = await Promise.all(wanted.length ? wanted.map(find) : [find(undefined)])
    await Promise.all([...new Set(found.map(({ name }) => name))].map(stop))
    return 0
  },
})
