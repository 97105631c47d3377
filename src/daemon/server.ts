/** The daemon's server: lock, adoption, socket, idle exit. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { unmapProgram } from '../../ffi/program.ts'
import { Watcher } from '../../ffi/watcher.ts'
import { KeyBroker } from '../broker/broker.ts'
import { leaveRoom } from '../container/leave-room.ts'
import { adoptZygote } from '../container/zygote.ts'
import { Bus } from '../core/bus.ts'
import { errorToJson } from '../core/errors.ts'
import { boxDir, daemonSocket, resolvePaths } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import { ensureRuntimeDir } from '../disk/runtime-dir.ts'
import { openLog } from '../engine/log.ts'
import { Notifier, notify } from '../engine/notify.ts'
import { Registry } from '../engine/registry.ts'
import { SkeletonGrowth } from '../engine/skeleton-growth.ts'
import { Stubs } from '../engine/stubs.ts'
import { answering } from '../handlers/handlers.ts'
import { isOutdoneBy } from '../host/callers.ts'
import { hostFacts } from '../host/facts.ts'
import { placesOf } from '../plan/writable.ts'
import { PortWatch } from '../preview/watch.ts'
import type { CoopEvent } from '../protocol/events.ts'
import { noticeAbout } from '../push/notice-about.ts'
import { Serving } from '../serve/serving.ts'
import type { Client, Handler } from '../session/client.ts'
import { Commands } from '../session/commands.ts'
import { DescriptorDesk } from '../session/descriptors.ts'
import { lockRuntime, lockState } from '../store/locks.ts'
import { findManifests } from '../store/manifest.ts'
import { diskError } from '../store/storage.ts'
import { storeUpload } from '../trees/upload.ts'
import { openGate } from './gate.ts'

const TIDY_MS = 500 // after the last change of a box: plans and batches are garbage by then and can be collected
const IDLE_MS = 30_000 // without box and client, before the daemon exits; starting again costs some 20 ms

const GUARD_MS = 3_000 // how long the socket may be missing; clients retry for longer (client/daemon.ts)
const LOCKED_MS = 20

/** Reports to the client that started the daemon: one JSON line, then the end of the pipe. */
function report(line: object): void {
  try {
    writeSync(1, `${JSON.stringify(line)}\n`)
    closeSync(1)
    openSync('/dev/null', 'w') // takes number 1 again
  } catch {
    // No client waits for the report.
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
  // Another daemon was quicker: the client that started this one connects to that.
  if (!lockRuntime(paths) || !lockState(paths)) return process.exit(0)
  const log = openLog(paths)
  const zygote = await adoptZygote(zygoteConnection, zygoteChannel, () => {
    log('zygote-gone')
    stop('retire') // the next client starts a daemon with a new zygote
  })
  await zygote.run(leaveRoom(unmapProgram()))
  const clients = new Set<Client>()
  const bus = new Bus<CoopEvent>((error) => log('listener-failed', { error: String(error) }))
  let idle: Timer | undefined
  const restIdle = (): void => {
    clearTimeout(idle)
    if (clients.size === 0 && !registry.busy && !serving.isServed)
      idle = setTimeout(() => stop('shutdown'), IDLE_MS)
  }
  let stopping = false
  let stubs: Stubs | undefined
  /** Stops the daemon. Boxes and the commands of clients keep running: the next daemon takes them over. */
  const stop = (why: 'shutdown' | 'retire'): void => {
    if (stopping) return
    stopping = true
    log('stop', { why })
    rmSync(daemonSocket(paths), { force: true }) // the next client starts another daemon
    for (const client of clients) client.tell({ type: 'bye', why })
    notifier.end()
    broker.flush()
    stubs?.sweep()
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
  const notifier = new Notifier({
    log,
    writable: () => placesOf(paths, '/', registry.writable),
  })
  const watcher = await Watcher.start()
  const host = hostFacts(homedir())
  const broker = new KeyBroker({
    ...{ paths, log },
    boxes: () => registry.boxes,
    writable: () => placesOf(paths, '/', registry.writable),
  })
  const registry: Registry = new Registry(paths, host, zygote, watcher, log, bus, broker)
  const growth = new SkeletonGrowth({ paths, host, boxes: () => registry.boxes, log })
  const ports = new PortWatch(bus)
  bus.listen((event) => {
    if (event.event !== 'box') return
    changed()
    growth.look()
    if (event.change !== 'ended') return
    ports.forget(event.box)
    broker.forget(event.box)
  })
  bus.listen((event) => {
    if (event.event !== 'waiting') return
    for (const client of clients) client.tellWaiting(event)
    notify(notifier, registry, event)
  })
  const before = findManifests(paths)
  await registry.adoptAll()
  await broker.resume()
  stubs = new Stubs(registry, bus, before)
  growth.look()
  const commands = new Commands()
  for (const box of registry.boxes) commands.adopt(box)
  const desk = new DescriptorDesk(paths, watcher, () => registry.crowded)
  const handler: Handler = {
    call: (channel, call) => answer(channel, call),
    retire: () => stop('retire'),
    isOutdoneBy: ({ caller }: Client) => !registry.working && isOutdoneBy(caller),
    refused: ({ transport: { peer } }: Client) => desk.forget(peer),
    closed: (client: Client) => {
      clients.delete(client)
      const { peer } = client.transport
      if (![...clients].some(({ transport }) => transport.peer === peer)) desk.forget(peer)
      restIdle()
    },
  }
  const serving = new Serving({
    ...{ paths, log, handler },
    store: (box, name, bytes) => storeUpload(registry.find({ box, cwd: '/' }).files, name, bytes),
    began: (client) => clients.add(client),
    emit: (event) => bus.emit(event),
    ports: { boxes: () => registry.boxes, portsOf: (box) => ports.portsOf(box) },
    noticeOf: (box) => noticeAbout(registry, box),
    waiting: () => registry.boxes.flatMap(({ name }) => noticeAbout(registry, name) ?? []),
  })
  bus.listen((event) => {
    if (event.event === 'waiting') serving.changed(event.box)
  })
  const answer = answering({
    bus,
    serving,
    registry,
    broker,
    commands,
    desk,
    log,
    ports,
    status: () => ({
      pid: process.pid,
      version: VERSION,
      uptime: Math.round(process.uptime()),
      boxes: registry.boxes.length + registry.unknown.length,
      clients: clients.size,
      creates: registry.creates,
      unreadable: registry.unknown
        .filter(({ why }) => why.is === 'unreadable')
        .map(({ name }) => boxDir(paths, name)),
      paths,
    }),
    shutdown: () => {
      setTimeout(() => stop('shutdown'), 10) // after the answer has gone out
    },
  })
  let gate = openGate(paths, handler, clients, () => clearTimeout(idle))
  /**
   * Recreates the socket after the runtime folder was deleted; otherwise a second daemon would start and treat live
   * boxes as dead.
   */
  const mend = async (): Promise<void> => {
    if (gate.isThere() || stopping) return
    log('runtime-folder-gone')
    ensureRuntimeDir(paths)
    if (!lockRuntime(paths)) {
      setTimeout(look, LOCKED_MS) // a daemon that is starting has the lock; it exits, since the state lock is ours
      return
    }
    gate.close()
    gate = openGate(paths, handler, clients, () => clearTimeout(idle))
    desk.reopen()
    broker.reopen()
    for (const box of registry.boxes) await box.reopen()
  }
  const look = (): void => void mend().catch((error) => log('mend-failed', { error: String(error) }))
  const guard = setInterval(look, GUARD_MS)
  guard.unref()
  process.on('SIGTERM', () => stop('retire'))
  process.on('SIGINT', () => stop('retire'))
  process.on('uncaughtException', (error) => log('uncaught', { error: String(error?.stack ?? error) }))
  process.on('unhandledRejection', (error) =>
    log('unhandled', { error: String((error as Error)?.stack ?? error) }),
  )
  log('start', { version: VERSION })
  restIdle()
}
