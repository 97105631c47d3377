/**
 * A box that this release cannot read: a newer one made it, or its files are damaged. It can be listed and ended with
 * data whose form never changes (store/envelope.ts, store/init-record.ts). Its other files stay as they are, for the
 * release that can read them.
 */
import { rmSync, statSync } from 'node:fs'
import { Batch } from '../../ffi/batch.ts'
import { Channel } from '../../ffi/channel.ts'
import { NewerInit } from '../../ffi/init-protocol.ts'
import { hasEnded, openPidfd } from '../../ffi/processes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { killAll } from '../container/end.ts'
import { CoopError } from '../core/errors.ts'
import { boxDir, boxRuntimeDir, initSocket, type Paths } from '../core/paths.ts'
import { bootId, startTimeOf } from '../host/boot.ts'
import { type Envelope, envelopeOf } from '../store/envelope.ts'
import { type InitRecord, readInitRecord } from '../store/init-record.ts'
import { type Newer, newerError, writerOf } from '../store/kind.ts'
import { NewerRing } from '../store/ring.ts'
import { discardStore } from '../store/storage.ts'

/** Why a box cannot be adopted. */
export type Strange = Newer | { readonly is: 'unreadable' }

/** Returns the newer release that started the box's init or wrote its rings, when that made an adoption fail. */
export function newerIn(error: unknown): Newer | undefined {
  if (error instanceof NewerRing) return error.newer
  return error instanceof NewerInit ? { is: 'newer', release: undefined } : undefined
}

/** Returns a pidfd of the init that a record names, which the caller closes; undefined when it has ended. */
export function initHandle(init: InitRecord): number | undefined {
  if (init.boot !== bootId()) return undefined
  const pidfd = openPidfd(init.pid)
  if (pidfd === undefined) return undefined
  // Compared after the pidfd was opened: from then on the pid cannot be reused.
  if (startTimeOf(init.pid) === init.startTime && !hasEnded(pidfd)) return pidfd
  closeDescriptor(pidfd)
  return undefined
}

/**
 * Asks init itself for its pid, for a box without a record of its init (0.1.0). Undefined when nobody listens. Throws
 * NewerInit.
 */
async function askInit(socket: string): Promise<number | undefined> {
  let channel: Channel
  try {
    channel = await Channel.connect(socket, {})
  } catch (error) {
    if (error instanceof NewerInit) throw error
    return undefined
  }
  try {
    const batch = new Batch()
    batch.call('pidfd_open', [1, 0], { send: true, scoped: true })
    return (await channel.run(batch)).fds[0]
  } finally {
    channel.close()
  }
}

export class UnknownBox {
  readonly name: string
  readonly why: Strange
  readonly created: number
  readonly #paths: Paths
  readonly #envelope: Envelope
  /** Both records of its init; an older release may have left one of them outdated. */
  readonly #inits: readonly InitRecord[]

  /** `text` is the text of its manifest. */
  constructor(paths: Paths, name: string, text: string, why: Strange) {
    this.#paths = paths
    this.name = name
    this.#envelope = envelopeOf(text, name)
    this.why = why.is === 'newer' ? { ...why, release: why.release ?? this.#envelope.release } : why
    this.#inits = [readInitRecord(paths, name), this.#envelope.init].filter((init) => init !== undefined)
    this.created =
      this.#envelope.created ?? statSync(boxDir(paths, name), { throwIfNoEntry: false })?.birthtimeMs ?? 0
  }

  /** Undefined when its damaged manifest no longer names it. */
  get workspace(): string | undefined {
    return this.#envelope.workspace
  }

  get lives(): boolean {
    const pidfd = this.#handle()
    if (pidfd !== undefined) closeDescriptor(pidfd)
    return pidfd !== undefined
  }

  #handle(): number | undefined {
    for (const init of this.#inits) {
      const pidfd = initHandle(init)
      if (pidfd !== undefined) return pidfd
    }
    return undefined
  }

  async #ask(): Promise<number | undefined> {
    try {
      return await askInit(initSocket(this.#paths, this.name))
    } catch (error) {
      if (!(error instanceof NewerInit)) throw error
      throw new CoopError(
        'E_NEWER',
        `the init of the box ${this.name} belongs to a newer coop and cannot be found`,
        {
          hint: 'update coop',
          cause: error,
        },
      )
    }
  }

  /** Says why, for people and without the box's name. */
  get sentence(): string {
    return this.why.is === 'newer' ? `made by ${writerOf(this.why.release)}` : 'its files cannot be read'
  }

  /** Returns the error for every command except those that list or end the box. */
  refusal(): CoopError {
    const end = `end it: coop kill ${this.name}`
    if (this.why.is === 'newer') return newerError(`the box ${this.name}`, this.why, end)
    return new CoopError('E_BOX_STATE', `the box ${this.name} exists, but its files cannot be read`, {
      hint: `look at ${boxDir(this.#paths, this.name)}; or ${end}`,
    })
  }

  /** Kills every process and removes the box. It cannot ask them to end first: that would need its init's protocol. */
  async end(): Promise<void> {
    const isTold = this.#inits.length > 0
    const pidfd = isTold ? this.#handle() : await this.#ask()
    if (pidfd !== undefined) {
      await killAll(pidfd)
      closeDescriptor(pidfd)
    }
    discardStore(this.#paths, this.name)
    rmSync(boxRuntimeDir(this.#paths, this.name), { recursive: true, force: true })
  }
}
