/** `coop cp`: copies files and folders between this machine and a running box. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { command } from '../common/declare.ts'
import { isTerminal } from '../common/output.ts'

const INSIST_MS = 1_000 // a slice of a copy takes milliseconds
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

export default command({
  meta: {
    summary: 'copy files between this machine and a box',
    description:
      'Copy files and folders between this machine and a running box. One side is BOX:/path; :/path means the box of this folder.',
    examples: [
      'coop cp notes.md my-app:/tmp/',
      'coop cp my-app:build/report.html .',
      'coop cp :/var/log/app.log - | tail',
      'tar -c src | coop cp - :/tmp/src.tar',
    ],
    group: 'Agents and commands',
  },
  args: {
    source: {
      type: 'positional',
      required: true,
      valueHint: 'SRC',
      complete: 'place',
      description: 'BOX:/path, :/path for this folder’s box, a path here, or - for stdin.',
    },
    destination: {
      type: 'positional',
      required: true,
      valueHint: 'DST',
      complete: 'place',
      description: 'The same, or - for stdout.',
    },
    'follow-link': { type: 'boolean', alias: 'L', description: 'if SRC is a link, copy its target' },
  },
  async run({ args }) {
    const { parseRequest } = await import('../../client/cp/copy-names.ts')
    const request = parseRequest(args.source, args.destination)
    const session = await connect(userPaths())
    const { copy } = await import('../../client/cp/copy.ts')
    const { CopyReport, Interrupted } = await import('../../client/cp/copy-report.ts')
    const { Messages } = await import('../common/messages.ts')
    const messages = new Messages()
    const stream = (request.way === 'in' ? request.from : request.to).kind === 'stream'
    const onTerminal = request.way === 'out' && stream && isTerminal(1)
    const report = new CopyReport({
      line: (text) => messages.warn(text),
      // Among lines of a file that goes to the terminal there is no place for it.
      progress: messages.isLive && !onTerminal ? (text) => messages.live(text ? [text] : []) : undefined,
    })
    const stop = (signal: number): void => {
      report.interrupt(signal)
      // For a copy that waits for a daemon which does not answer; then it has no half-made files.
      setTimeout(() => process.exit(128 + signal), INSIST_MS)
    }
    // Waiting for a stream hears no signal; there it ends us, and the daemon clears what is half made. A terminal is to
    // be left as it was.
    if (!stream || onTerminal)
      for (const [name, signal] of Object.entries(SIGNALS)) process.on(name, () => stop(signal))
    try {
      await copy(session, userPaths(), request, args['follow-link'], report)
      return report.failed ? 1 : 0
    } catch (error) {
      if (error instanceof Interrupted) return 128 + error.signal
      throw error
    } finally {
      report.end()
    }
  },
})
