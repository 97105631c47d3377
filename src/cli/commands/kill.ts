/** `coop kill`: end a box and remove it. */
import { ask } from '../../client/ask.ts'
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { command } from '../common/declare.ts'
import { killAll } from '../common/kill-all.ts'
import { BOXES, END_OPTION, namesOrAll } from '../common/many-boxes.ts'
import { print } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

export default command({
  meta: {
    summary: 'end boxes and remove them',
    description: 'End every process of a box and remove it. Volumes and persistent folders stay.',
    examples: ['coop kill', 'coop kill my-app -f', 'coop kill one two', 'coop kill --all'],
    group: 'Boxes',
  },
  args: {
    ...BOXES,
    all: { type: 'boolean', description: 'all boxes, also those of coop run' },
    ...END_OPTION,
  },
  async run({ args }) {
    const { boxes: wanted, force } = args
    namesOrAll(wanted, args.all)
    if (!args.all && wanted.length < 2) {
      const { box } = await ask(userPaths(), 'box.kill', { ...targetOf(wanted[0]), force })
      print(`the box ${box} is gone\n`)
      return 0
    }
    if (!args.all) {
      const session = await connect(userPaths())
      const find = (one: string) => session.call('box.find', { ...targetOf(one), unknown: true })
      // All of them are looked for first: of a list with a mistyped name nothing is removed.
      const names = new Set((await Promise.all(wanted.map(find))).map(({ name }) => name))
      await Promise.all([...names].map((name) => session.call('box.kill', { box: name, cwd: '/', force })))
      for (const name of names) print(`the box ${name} is gone\n`)
      return 0
    }
    const session = await connect(userPaths())
    const count = await killAll(session, force)
    print(count ? `${count} ${count === 1 ? 'box is' : 'boxes are'} gone\n` : 'no boxes\n')
    return 0
  },
})
