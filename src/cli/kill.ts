/** `coop kill`: end a box and remove it. */
import { ask } from '../client/ask.ts'
import { connect } from '../client/daemon.ts'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import type { BoxInfo } from '../protocol/server-messages.ts'
import type { Command } from './command.ts'
import { print } from './output.ts'
import { findAnyBox } from './target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'End every process of a box and remove it. Volumes and persistent folders stay.',
  examples: ['coop kill', 'coop kill my-app -f', 'coop kill --all'],
  options: {
    all: { type: 'boolean', about: 'all boxes' },
    force: { type: 'boolean', short: 'f', about: 'at once, without the 5 seconds to finish' },
  },
  maxArguments: 1,
  async run(args) {
    const force = args.flag('force')
    if (!args.flag('all')) {
      const box = await findAnyBox(args.positionals[0])
      await ask(userPaths(), { do: 'box.kill', name: box.name, force })
      print(`the box ${box.name} is gone\n`)
      return 0
    }
    if (args.positionals.length)
      throw new CoopError('E_USAGE', '--all and the name of a box exclude each other')
    const session = await connect(userPaths())
    const boxes = await session.call<BoxInfo[]>({ do: 'box.list' })
    await Promise.all(boxes.map(({ name }) => session.call({ do: 'box.kill', name, force })))
    print(
      boxes.length ? `${boxes.length} ${boxes.length === 1 ? 'box is' : 'boxes are'} gone\n` : 'no boxes\n',
    )
    return 0
  },
}

export default command
