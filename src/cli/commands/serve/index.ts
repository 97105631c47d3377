/** `coop serve`: shows the boxes in a browser. */
import { ask, askRunning } from '../../../client/ask.ts'
import { serveOn } from '../../../client/serving.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { readUserLayer } from '../../../config/load.ts'
import { DEFAULTS } from '../../../config/schema.ts'
import { CoopError } from '../../../core/errors.ts'
import type { ServingInfo } from '../../../protocol/calls/serving.ts'
import type { Request } from '../../../protocol/calls.ts'
import { command } from '../../common/declare.ts'
import { print, printable, printError } from '../../common/output.ts'
import { startKeeper } from '../../serving/keeper.ts'
import { openBrowser } from '../../serving/open-browser.ts'
import { showServing } from '../../serving/show.ts'

const TOKEN = /^[A-Za-z0-9_-]{22,128}$/
const FOREGROUND = 'Ctrl+C stops serving; boxes keep running.'
const BACKGROUND = 'It is served in the background; stop: coop serve --stop'

export default command({
  meta: {
    summary: 'show the boxes in a browser or on a phone',
    description:
      'Serve a page with your boxes and their terminals. A browser needs the printed address once; then it stays signed in.',
    examples: [
      'coop serve                          on this machine, until Ctrl+C',
      'coop serve --open                   and open it in a browser',
      'coop serve -d                       in the background',
      'coop serve --host 0.0.0.0 --tls     for phones in this network, encrypted',
      'coop serve --stop',
    ],
    group: 'Agents and commands',
  },
  args: {
    host: {
      type: 'string',
      valueHint: 'ADDRESS',
      description:
        'the address to listen on (default: serve.host, 127.0.0.1); others than this machine need --tls',
    },
    port: {
      type: 'string',
      valueHint: 'PORT',
      range: [1, 65535],
      description: 'the port to listen on (default: serve.port, 8888)',
    },
    tls: { type: 'boolean', description: 'encrypt, with a certificate that coop makes and keeps' },
    token: {
      type: 'string',
      valueHint: 'TOKEN',
      description:
        'the secret of the address instead of a new one: at least 22 letters, digits, - or _ (other users of this machine can read arguments)',
    },
    readonly: { type: 'boolean', description: 'browsers that sign in may only look' },
    open: { type: 'boolean', description: 'open the page in the browser of this machine' },
    detach: { type: 'boolean', alias: 'd', description: 'serve in the background' },
    stop: { type: 'boolean', description: 'stop serving; boxes keep running' },
  },
  subCommands: {
    ls: () => import('./ls.ts'),
    revoke: () => import('./revoke.ts'),
  },
  async run({ args }) {
    const paths = userPaths()
    if (args.stop) {
      const others = Object.entries(args).filter(([name, value]) => name !== 'stop' && value)
      if (others.length)
        throw new CoopError('E_USAGE', `--stop goes with no other option`, { hint: 'coop serve --stop' })
      const wasServed = askRunning(paths, 'serve.stop', {}, false)?.value
      print(wasServed ? 'coop serves no longer; boxes keep running\n' : 'coop does not serve\n')
      return 0
    }
    if (args.token !== undefined && !TOKEN.test(args.token))
      throw new CoopError('E_USAGE', '--token takes at least 22 letters, digits, - or _', {
        hint: 'leave it out, and coop makes one; or: --token $(openssl rand -hex 16)',
      })
    const own = { ...DEFAULTS.serve, ...readUserLayer(paths.configDir).serve }
    const wanted: Request<'serve.start'> = {
      host: args.host ?? own.host,
      port: args.port ?? own.port,
      tls: args.tls,
      readonly: args.readonly,
      ...(args.token === undefined ? {} : { token: args.token }),
      environment: environment(),
    }
    const now = await ask(paths, 'serve.status', {})
    if (now) {
      if (differs(now, args)) throw inTheWay(now)
      await showServing(now, BACKGROUND)
      if (args.open) await openBrowser(paths, now)
      return 0
    }
    if (args.detach) {
      const info = await startKeeper(wanted)
      await showServing(info, BACKGROUND)
      if (args.open) await openBrowser(paths, info)
      return 0
    }
    return foreground(wanted, args.open)
  },
})

const environment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )

interface Asked {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly tls: boolean
  readonly readonly: boolean
  readonly token: string | undefined
}

/** Whether the page is served in another way than these flags ask for. */
function differs(now: ServingInfo, { host, port, tls, readonly, token }: Asked): boolean {
  return (
    (host !== undefined && host !== now.host) ||
    (port !== undefined && port !== now.port) ||
    (tls && now.fingerprint === undefined) ||
    (readonly && !now.readonly) ||
    (token !== undefined && token !== now.token)
  )
}

const inTheWay = ({ urls }: ServingInfo): CoopError =>
  new CoopError('E_FAILED', `coop serves already, at ${urls[0]}, with other options`, {
    hint: 'end that first: coop serve --stop',
  })

async function foreground(wanted: Request<'serve.start'>, open: boolean): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      print('\ncoop serves no longer; boxes keep running\n')
      process.exit(0)
    })
  const why = await serveOn(wanted, {
    served: (info) => {
      void showServing(info, FOREGROUND)
        .then(() => (open ? openBrowser(userPaths(), info) : undefined))
        .catch((error) =>
          printError(`coop: ${printable(error instanceof Error ? error.message : String(error))}\n`),
        )
    },
    browser: ({ name, address, change }) =>
      print(
        `${printable(name)} (${printable(address)}) ${change === 'signed-in' ? 'signed in' : 'was signed out'}\n`,
      ),
    waits: (error) => printError(`coop: ${printable(error.message)}; it tries again\n`),
  })
  print(`coop serves no longer (${printable(why)}); boxes keep running\n`)
  return 0
}
