/** `coop` alone: starts or rejoins the agent of this folder. */
import { connect } from '../client/daemon.ts'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import { boxOptions } from './common/box-options.ts'
import { command } from './common/declare.ts'
import { isTerminal, paint, printable, printError } from './common/output.ts'
import { START_OPTIONS, startBox, startDetached } from './common/start-box.ts'

export default command({
  meta: {
    summary: 'run an agent in a box',
    description:
      'Run an AI coding agent in a box. The box has this folder, but not your home, keys and other projects.',
    examples: [
      'coop                          start the agent here, or rejoin it; Ctrl+] leaves it running',
      'coop -d --agent codex         start it in the background',
      'coop -n review -w ~/src/app   a named box for another folder',
    ],
  },
  args: {
    ...START_OPTIONS,
    detach: { type: 'boolean', alias: 'd', description: 'start in the background' },
  },
  async run({ args }) {
    const detach = args.detach
    if (!detach && !(isTerminal(0) && isTerminal(1))) {
      throw new CoopError('E_NO_TERMINAL', 'coop needs a terminal to attach to the agent', {
        hint: 'start it in the background: coop -d',
      })
    }
    const options = boxOptions(args)
    const session = await connect(userPaths())
    const boxes = await session.call('box.list', {})
    if (detach) return startDetached(session, boxes, options, args)
    const { box } = await startBox(session, boxes, { ...options, attaches: true }, args, { greets: true })
    const { attachTo } = await import('./common/show.ts')
    const code = await attachTo(session, box, { pty: 0 })
    const { tellOfReleases } = await import('../update/daily.ts')
    await tellOfReleases(userPaths(), (text) =>
      printError(`${paint('yellow', 'coop:', 2)} ${printable(text)}\n`),
    )
    return code
  },
})
