/** The daemon's server: lock, adoption, socket, idle exit. */
import { chmodSync, closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import type { Socket } from 'bun'
import { Channel } from '../../ffi/channel.ts'
import { tryLock } from '../../ffi/files.ts'
import { unmapProgram } from '../../ffi/program.ts'
import { hostFacts } from '../box/host.ts'
import { diskError } from '../box/storage.ts'
import { daemonLock, daemonSocket, resolvePaths } from '../config/paths.ts'
import { errorToJson } from '../errors.ts'
import { ensureRuntimeDir } from '../runtime-dir.ts'
import { VERSION } from '../version.ts'
import { Calls, isOwner } from './calls.ts'
import { Connection } from './connection.ts'
import { DescriptorDesk } from './descriptors.ts'
import { openLog } from './log.ts'
import { Registry } from './registry.ts'

const TIDY_MS = 500 // after the last change of a box: plans and batches are garbage by then, and a box then costs little
const IDLE_MS = 30_000 // with no box and no client; starting again costs some 20 ms

/** What the client that started us reads: one JSON line, then the end of the pipe. */
function report(line: object): void {
  try {
    writeSync(1, `${JSON.stringify(line)}\n`)
    closeSync(1)
    openSync('/dev/null', 'w') // takes number 1 again
  } catch {
    // Nobody waits.
  }
}

export async function serve(zygoteConnection: number, zygoteChannel: number): Promise<void> {
  try {
    await start(zygoteConnection, zygoteChannel)
    report({ ready: process.pid })
  } catch (error) {
    report({ error: errorToJson(diskError(error, 'the data folder of coop')) })
    process.exit(4)
  }
}

async function start(zygoteConnection: number, zygoteChannel: number): Promise<void> {
  const paths = resolvePaths(process.env, homedir())
  ensureRuntimeDir(paths)
  const lock = openSync(daemonLock(paths), 'w', 0o600)
  // Somebody else was quicker: the client that started us connects to that one.
  if (!tryLock(lock)) return process.exit(0)
  const log = openLog(paths)
  const zygote = await Channel.adopt(zygoteConnection, zygoteChannel, {
    close: () => {
      log('zygote-gone')
      void stop() // boxes go on; the next client starts a daemon with a new zygote
    },
  })
  await zygote.run(unmapProgram())
  const connections = new Set<Connection>()
  let idle: Timer | undefined
  const restIdle = (): void => {
    clearTimeout(idle)
    if (connections.size === 0 && !registry.busy) idle = setTimeout(() => void stop(), IDLE_MS)
  }
  let stopping = false
  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    log('stop')
    rmSync(daemonSocket(paths), { force: true }) // the next client starts another daemon
    await registry.endRuns()
    registry.cleanNow()
    process.exit(0)
  }
  let tidy: Timer | undefined
  const changed = (): void => {
    restIdle()
    clearTimeout(tidy)
    tidy = setTimeout(() => Bun.gc(true), TIDY_MS)
    tidy.unref()
  }
  const registry = new Registry(paths, hostFacts(homedir()), zygote, log, changed)
  await registry.adoptAll()
  const desk = new DescriptorDesk(paths)
  const calls = new Calls({
    registry,
    desk,
    log,
    version: VERSION,
    status: () => ({
      pid: process.pid,
      version: VERSION,
      uptime: Math.round(process.uptime()),
      boxes: registry.boxes.length,
      clients: connections.size,
      creates: registry.creates,
      paths,
    }),
    shutdown: () => {
      setTimeout(() => void stop(), 10) // after the answer has gone out
    },
  })
  const handler = {
    call: calls.call.bind(calls),
    closed: (connection: Connection) => {
      connections.delete(connection)
      restIdle()
    },
  }
  rmSync(daemonSocket(paths), { force: true })
  Bun.listen<Connection | undefined>({
    unix: daemonSocket(paths),
    data: undefined,
    socket: {
      open(socket) {
        // The folder is 0700 and the umask 077; this holds where somebody changed either.
        if (!isOwner((socket as unknown as { fd: number }).fd)) {
          socket.end()
          return
        }
        const connection = new Connection(socket as Socket<Connection | undefined>, handler, VERSION)
        socket.data = connection
        connections.add(connection)
        clearTimeout(idle)
      },
      data: (socket, bytes) => socket.data?.data(bytes),
      drain: (socket) => socket.data?.drain(),
      close: (socket) => socket.data?.gone(),
      error: (socket) => socket.data?.gone(),
    },
  })
  chmodSync(daemonSocket(paths), 0o600)
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  process.on('uncaughtException', (error) => log('uncaught', { error: String(error?.stack ?? error) }))
  process.on('unhandledRejection', (error) =>
    log('unhandled', { error: String((error as Error)?.stack ?? error) }),
  )
  log('start', { version: VERSION })
  restIdle()
}
