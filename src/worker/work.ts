/** Runs the worker's one request. */

import { existsSync, mkdirSync, renameSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Channel } from '../../ffi/channel.ts'
import { redirectToNull } from '../../ffi/files.ts'
import { unmapProgram } from '../../ffi/program.ts'
import { leaveRoom } from '../container/leave-room.ts'
import { adoptZygote } from '../container/zygote.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError, errorToJson } from '../core/errors.ts'
import { type Paths, resolvePaths } from '../core/paths.ts'
import { removeTree } from '../disk/remove-tree.ts'
import { type HostFacts, hostFacts } from '../host/facts.ts'
import { resolvedPath } from '../host/host-place.ts'
import { openArchive } from '../image/pull/archive-source.ts'
import { pullImage } from '../image/pull/pull.ts'
import { openRegistryImage } from '../image/pull/registry-source.ts'
import type { OpenImage } from '../image/pull/source.ts'
import { isLocal, noLocalImage, parseReference, printReference, type Reference } from '../image/reference.ts'
import { bearLayerInit } from '../image/unpack/layer-init.ts'
import { writableOnDisk, writablePlaces } from '../plan/writable.ts'
import { Malformed } from '../protocol/shapes/malformed.ts'
import { fieldsOf } from '../protocol/shapes/shapes.ts'
import {
  WORKER_CALLS,
  type WorkerCallName,
  type WorkerEvent,
  type WorkerLine,
  type WorkerReply,
  type WorkerRequest,
} from '../protocol/worker-calls.ts'
import { type ImageRecord, readRecord, syncLayers, withLock } from '../store/images.ts'
import { diskError, emptyTrash, isDiskFull } from '../store/storage.ts'
import { janitor } from '../trees/remover.ts'
import { build } from './build.ts'
import { clean, clearHalfMadeLayers, prune, refuseUsed, removeImages, removeVolumes } from './remove.ts'

const INTERRUPTED = 130
/** Whether the client has its answer; from then on, its end no longer stops the worker. */
let isAnswered = false
const BEHIND_MS = 2

export interface WorkerContext {
  readonly paths: Paths
  readonly host: HostFacts
  readonly zygote: Channel
  /** Bytes of half made layers that this worker has removed at its start. */
  readonly cleared: number
  tell(event: WorkerEvent): void
  discard(folder: string): Promise<void>
}

function tell(event: WorkerLine): void {
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      // The client is behind: a step prints faster than a terminal shows.
      if (errnoOf(error) === 'EAGAIN') Bun.sleepSync(BEHIND_MS)
      else process.exit(INTERRUPTED) // nobody reads: the client is gone
    }
  }
}

/** Reads one call from the first line of stdin. Later, the end of stdin means that the client is gone. */
async function readCall(): Promise<{ name: WorkerCallName; request: unknown }> {
  const reader = Bun.stdin.stream().getReader()
  let text = ''
  while (!text.includes('\n')) {
    const { done, value } = await reader.read()
    if (done) process.exit(INTERRUPTED)
    text += Buffer.from(value).toString('utf8')
  }
  void reader.read().then(() => isAnswered || process.exit(INTERRUPTED))
  const { do: name, ...request } = fieldsOf(JSON.parse(text))
  if (typeof name !== 'string' || !Object.hasOwn(WORKER_CALLS, name)) throw new Malformed('a known call')
  return { name: name as WorkerCallName, request }
}

export async function work(connection: number, channel: number): Promise<void> {
  process.on('SIGINT', () => process.exit(INTERRUPTED))
  process.on('SIGTERM', () => process.exit(INTERRUPTED))
  try {
    const { name, request } = await readCall()
    const paths = resolvePaths(process.env, homedir())
    const host = hostFacts(homedir())
    const zygote = await adoptZygote(connection, channel)
    await zygote.run(leaveRoom(unmapProgram()))
    const discard = async (folder: string): Promise<void> => {
      if (!existsSync(folder)) return
      const trash = join(paths.dataDir, 'trash')
      try {
        mkdirSync(trash, { recursive: true, mode: 0o700 })
        renameSync(folder, join(trash, `layer.${crypto.randomUUID()}`))
      } catch (error) {
        // A folder that a box gave to another of its ids cannot be moved, only deleted in place. A full disk has no
        // room for the trash.
        if (!isDiskFull(error) && errnoOf(error) !== 'EACCES') throw error
        const left = removeTree(folder)
        if (left.length) await janitor({ host, zygote, log: () => {} }, left)
      }
      const left = emptyTrash(paths)
      if (left.length) await janitor({ host, zygote, log: () => {} }, left)
    }
    const cleared = await clearHalfMadeLayers(paths, discard)
    const context = { paths, host, zygote, cleared, tell, discard }
    const value = await answer(context, name, request)
    isAnswered = true
    tell({ event: 'reply', value })
    // The client leaves now, so the worker lets go of its terminal and its folders.
    zygote.close()
    process.chdir('/')
    redirectToNull(2)
    await new Promise((resolve) => setImmediate(resolve)) // the next turn really closes the descriptors above
    syncLayers(paths)
    process.exit(0)
  } catch (error) {
    const said = diskError(error, "coop's folders")
    tell({ event: 'error', error: errorToJson(said) })
    process.exit(said instanceof CoopError ? said.exitCode : 1)
  }
}

/** A deleted folder belongs to no project. */
function currentFolder(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

function open(reference: Reference, { paths, tell }: WorkerContext): Promise<OpenImage> {
  switch (reference.kind) {
    case 'registry':
      return openRegistryImage(reference, paths, {
        configDir: paths.configDir,
        environment: process.env,
        home: homedir(),
        writable: writablePlaces(paths, currentFolder()),
        onRetry: (reason) => tell({ event: 'retry', text: reason }),
      })
    case 'host':
    case 'rootfs':
      throw new CoopError(
        'E_IMAGE',
        `${printReference(reference)} needs no pull: boxes start from it directly`,
      )
    default:
      // A link in a place that boxes write must not lead to somebody else's archive.
      return openArchive({
        ...reference,
        path: resolvedPath(reference.path, writableOnDisk(paths), 'E_IMAGE'),
      })
  }
}

/**
 * Locks the store. Layers of a running pull or build look unused, as no record and no box names them yet; so removal
 * waits for its end.
 */
function inStore<T>(
  { paths, tell }: WorkerContext,
  how: 'alone' | 'shared',
  work: () => Promise<T>,
): Promise<T> {
  const others = how === 'alone' ? 'pulls or builds' : 'removes images'
  const waiting = (): void =>
    tell({ event: 'warning', text: `another coop ${others}; waiting until it is done` })
  return withLock(paths, 'store', waiting, work, how)
}

type Handlers = {
  readonly [N in WorkerCallName]: (
    context: WorkerContext,
    request: WorkerRequest<N>,
  ) => Promise<WorkerReply<N>>
}

const HANDLERS: Handlers = {
  'image.pull': (context, { reference }) =>
    inStore(context, 'shared', () => pullReference(context, reference)),
  'image.build': (context, request) =>
    inStore(context, 'shared', () =>
      build(context, request, (reference) => pullReference(context, reference)),
    ),
  'image.remove': (context, { references, force }) =>
    inStore(context, 'alone', () => {
      if (!force) refuseUsed(context.paths, references)
      return removeImages(context, references)
    }),
  'image.clean': (context, { downloads }) => inStore(context, 'alone', () => clean(context, downloads)),
  'volume.remove': (context, { names }) => removeVolumes(context, names),
  'system.prune': (context) => inStore(context, 'alone', () => prune(context)),
}

function answer<N extends WorkerCallName>(
  context: WorkerContext,
  name: N,
  request: unknown,
): Promise<WorkerReply<N>> {
  // The cast holds: this very name's shape has read the request.
  return HANDLERS[name](context, WORKER_CALLS[name].request.read(request) as WorkerRequest<N>)
}

async function pullReference(context: WorkerContext, text: string): Promise<ImageRecord> {
  const { paths, host, zygote, tell, discard } = context
  const reference = parseReference(text)
  const full = printReference(reference)
  const from = readRecord(paths, full)?.from
  if (from)
    throw new CoopError(
      'E_IMAGE',
      `${text} was made on this machine, of the box ${from.box}: no registry has it`,
      {
        hint: `make it again: coop image publish ${from.box} ${text} --force`,
      },
    )
  if (isLocal(full)) throw noLocalImage(full)
  try {
    const image = await open(reference, context)
    using init = await bearLayerInit(zygote, host)
    return await pullImage({ paths, init, image, reference: full, tell, discard })
  } catch (error) {
    throw 'path' in reference ? inFile(error, reference.path) : error
  }
}

/** Adds the file or folder of the image to an error about its content. */
function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof CoopError) || error.code !== 'E_IMAGE' || error.message.includes(path)) return error
  return new CoopError(error.code, `${path}: ${error.message}`, { hint: error.hint, cause: error })
}
