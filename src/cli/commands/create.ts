/** `coop create`: starts a named box in the background. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { twoWords } from '../../config/words.ts'
import { boxOptions } from '../common/box-options.ts'
import { command } from '../common/declare.ts'
import { START_OPTIONS, startDetached } from '../common/start-box.ts'

const { name: _, ...OPTIONS } = START_OPTIONS

export default command({
  meta: {
    summary: 'start a named box in the background',
    description: 'Start a named box in the background. Without NAME, coop picks a two-word name.',
    examples: ['coop create review', 'coop create -w ~/src/app --agent codex'],
    group: 'Boxes',
  },
  args: {
    name: { type: 'positional', description: 'The name of the box (default: two words).' },
    ...OPTIONS,
  },
  async run({ args }) {
    const { name: wanted, ...flags } = args
    const options = boxOptions(flags)
    const session = await connect(userPaths())
    const boxes = await session.call('box.list', {})
    const name = wanted ?? twoWords(new Set(boxes.map((box) => box.name)), Math.random)
    return startDetached(session, boxes, { ...options, name }, { ...args, name })
  },
})
