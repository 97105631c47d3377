/** `coop stop`: ends the processes of boxes and keeps their files. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { command } from '../common/declare.ts'
import { BOXES, END_OPTION, namesOrAll } from '../common/many-boxes.ts'
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
    ...BOXES,
    all: { type: 'boolean', description: 'all boxes that run' },
    ...END_OPTION,
  },
  async run({ args }) {
    const { boxes: wanted, force } = args
    namesOrAll(wanted, args.all)
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
