/**
 * The process that `coop serve -d` leaves behind: it has the daemon serve the page, and the next daemon once this one is gone. What
 * is to be served comes by its standard input, since other users can read the arguments of a process.
 */
import { closeSync, existsSync, openSync, readlinkSync, writeSync } from 'node:fs'
import { serveOn } from '../../client/serving.ts'
import { CoopError, errorFromJson, errorToJson } from '../../core/errors.ts'
import type { ServingInfo } from '../../protocol/calls/serving.ts'
import type { Request } from '../../protocol/calls.ts'

/** The hidden command that makes this executable that process. */
const COMMAND = '--keep-serving'

interface Report {
  readonly info?: ServingInfo
  readonly error?: Parameters<typeof errorFromJson>[0]
}

/** Starts the process and returns once the page is served. Raises what `serve.start` raises. */
export async function startKeeper(wanted: Request<'serve.start'>): Promise<ServingInfo> {
  const child = spawnKeeper('/proc/self/exe', wanted, 'pipe')
  const said = await new Response(child.stdout).text()
  child.unref()
  const { info, error } = readReport(said)
  if (info) return info
  if (error) throw errorFromJson(error)
  throw new CoopError('E_FAILED', 'the process that has the page served has ended at once', {
    hint: 'see why: coop serve',
  })
}

function spawnKeeper<Out extends 'pipe' | 'ignore'>(
  program: string,
  wanted: Request<'serve.start'>,
  stdout: Out,
) {
  return Bun.spawn([program, COMMAND], {
    argv0: 'coop',
    cwd: '/', // it must not keep any folder busy
    env: process.env,
    stdin: new TextEncoder().encode(JSON.stringify(wanted)),
    stdout,
    stderr: 'ignore',
    detached: true,
  })
}

function readReport(said: string): Report {
  try {
    return JSON.parse(said)
  } catch {
    return {}
  }
}

/**
 * After an update the daemon may be too new for this process: then the program that is now at its path goes on, if there is
 * another one.
 */
function giveWay(wanted: Request<'serve.start'>): void {
  const path = readlinkSync('/proc/self/exe')
  const program = path.replace(/ \(deleted\)$/, '')
  if (program === path || !existsSync(program)) return
  const child = spawnKeeper(program, wanted, 'ignore')
  child.unref()
  process.exit(0)
}

/** The process itself. */
export async function keepServing(): Promise<void> {
  process.on('SIGHUP', () => {}) // the terminal that started it may close
  let isReported = false
  const report = (line: Report): void => {
    if (isReported) return
    isReported = true
    writeSync(1, JSON.stringify(line))
    closeSync(1)
    openSync('/dev/null', 'w') // takes number 1 again
  }
  try {
    const wanted: Request<'serve.start'> = JSON.parse(await Bun.stdin.text())
    await serveOn(wanted, {
      served: (info) => report({ info }),
      browser: () => {},
      waits: (_, now) => giveWay(now),
    })
  } catch (error) {
    report({ error: errorToJson(error) })
  }
  process.exit(0)
}
