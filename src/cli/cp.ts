/** `coop cp`: files and folders between this machine and a running box. */
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import type { Command } from './command.ts'
import { isTerminal, paint, printable, printError } from './output.ts'
import { targetBox } from './target.ts'

const CLEAR_LINE = '\r\x1b[K'
const INSIST_MS = 1_000 // a slice of a copy takes milliseconds
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

const command: Command = {
  usage: '[OPTIONS] SRC DST',
  about:
    'Copy files and folders between this machine and a running box. One side is BOX:/path, :/path is this folder’s box.',
  examples: [
    'coop cp notes.md my-app:/tmp/',
    'coop cp my-app:build/report.html .',
    'coop cp :/var/log/app.log - | tail',
    'tar -c src | coop cp - :/tmp/src.tar',
  ],
  options: {
    'follow-link': { type: 'boolean', short: 'L', about: 'if SRC is a link, copy what it leads to' },
  },
  maxArguments: 2,
  async run(args) {
    const [source, destination] = args.positionals
    if (source === undefined || destination === undefined)
      throw new CoopError('E_USAGE', 'cp needs a source and a destination', {
        hint: 'coop cp FILE BOX:/path, or coop cp BOX:/path FILE',
      })
    const { parseRequest } = await import('../client/copy-names.ts')
    const request = parseRequest(source, destination)
    const { session, box } = await targetBox(request.box)
    const { copy } = await import('../client/copy.ts')
    const { CopyReport, Interrupted } = await import('../client/copy-report.ts')
    const report = new CopyReport({
      line: (text) =>
        printError(`${isTerminal(2) ? CLEAR_LINE : ''}${paint('yellow', 'coop:', 2)} ${printable(text)}\n`),
      progress: isTerminal(2) ? (text) => printError(`${CLEAR_LINE}${printable(text)}`) : undefined,
    })
    const stream = (request.way === 'in' ? request.from : request.to).kind === 'stream'
    const stop = (signal: number): void => {
      report.interrupt(signal)
      // Waiting for a daemon that does not answer: nothing of ours is half made then.
      setTimeout(() => process.exit(128 + signal), INSIST_MS)
    }
    const onTerminal = request.way === 'out' && stream && isTerminal(1)
    // Waiting for a stream hears no signal; there it ends us, and the daemon clears what is half made. A terminal is to
    // be left as it was.
    if (!stream || onTerminal)
      for (const [name, signal] of Object.entries(SIGNALS)) process.on(name, () => stop(signal))
    try {
      await copy(session, userPaths(), box.name, request, args.flag('follow-link'), report)
      return report.failed ? 1 : 0
    } catch (error) {
      if (error instanceof Interrupted) return 128 + error.signal
      throw error
    } finally {
      report.end()
    }
  },
}

export default command
