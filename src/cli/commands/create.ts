/** `coop create`: a named box in the background. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { twoWords } from '../../config/words.ts'
import { boxOptions } from '../common/box-options.ts'
import type { Command } from '../common/declare.ts'
import { START_OPTIONS, startDetached } from './coop.ts'

const { name: _, ...OPTIONS } = START_OPTIONS

const command: Command = {
  usage: '[NAME]',
  about: 'Start a named box in the background. Without a name it gets one of two words.',
  examples: ['coop create review', 'coop create -w ~/src/app --agent codex'],
  options: OPTIONS,
  maxArguments: 1,
  async run(args) {
    const options = boxOptions(args)
    const session = await connect(userPaths())
    const boxes = await session.call('box.list', {})
    const name = args.positionals[0] ?? twoWords(new Set(boxes.map((box) => box.name)), Math.random)
    return startDetached(session, boxes, { ...options, name }, args)
  },
}

export default command
