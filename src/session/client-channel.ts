/** One channel of a client. It carries at most one shown terminal or one running command. */
import { CoopError } from '../core/errors.ts'
import {
  type Channel,
  decodeOutput,
  decodeTyped,
  encodeOutput,
  encodeTaken,
  type TypedDirectly,
} from '../protocol/frames.ts'
import type { ExitMessage } from '../protocol/server-messages.ts'
import type { Caller } from '../sandbox/caller.ts'
import type { Pty } from '../terminal/pty.ts'
import type { Client } from './client.ts'
import type { Feed, Outlet } from './feed.ts'
import { type Rules, TypedInput } from './typed-input.ts'

/** The use of a channel, until it ends. */
export interface Activity {
  readonly feed?: Feed
  /** The box, when its terminal is shown to a person. */
  readonly box?: string
  signal?(signal: number): void
  /** Called when the client is gone. */
  abandon(): void
}

function quit(activity: Activity): void {
  activity.feed?.close()
  activity.abandon()
}

const TAKEN_MS = 5 // lets the echo of a key go first; a client that pastes has 64 KiB under way
const TYPISTS = 0x10000 // channels of a client: each makes a typist of its own

export class ClientChannel implements Outlet {
  readonly client: Client
  readonly #number: number
  #activity: Activity | undefined
  /** The client's own terminal, as the client named it. */
  terminal: string | undefined
  readonly #input = new TypedInput(this)
  #tellTaken: Timer | undefined
  /** Bytes of frames that were sent for a terminal, and how many of them a browser has shown. */
  #sent = 0
  #shown = 0
  #isGone = false

  constructor(client: Client, number: number) {
    this.client = client
    this.#number = number
  }

  get channel(): Channel {
    return this.client.hasChannels ? this.#number : undefined
  }

  get queued(): number {
    return this.isRemote ? this.#sent - this.#shown : this.client.transport.queued
  }

  get isRemote(): boolean {
    return this.client.transport.origin !== 'local'
  }

  get peer(): number | undefined {
    return this.client.transport.peer
  }

  /** What the client hands down to its commands and boxes. */
  get caller(): Caller | undefined {
    return this.client.caller
  }

  /** Identifies the typist in the ring; unchanged after the client comes back. Protocol 3 used the pid alone. */
  get typist(): number {
    return this.client.hasChannels ? this.client.id * TYPISTS + this.#number : this.client.id
  }

  get activity(): Activity | undefined {
    return this.#activity
  }

  /** Sets the one activity; it ends at once when the client is gone already. */
  set activity(activity: Activity | undefined) {
    const before = this.#activity
    this.#activity = this.#isGone ? undefined : activity
    if (activity && before) quit(before)
    if (activity && this.#isGone) quit(activity)
  }

  /** Raises E_USAGE where this client's transport passes no descriptors. */
  needDescriptors(): void {
    if (this.client.transport.passesDescriptors) return
    throw new CoopError('E_USAGE', 'this connection cannot pass descriptors', {
      hint: 'ask for a terminal instead',
    })
  }

  /**
   * Begins input, or continues it where an earlier connection of the client stopped. Returns how many bytes of it the
   * terminal has. With `rules`, that of a browser is filtered.
   */
  continueInput(pty: Pty, typed: number | undefined, rules?: Rules): number {
    return this.#input.begin(pty, typed, this.isRemote ? rules : undefined)
  }

  input(bytes: Uint8Array): void {
    const feed = this.activity?.feed
    if (!feed || feed.readonly) return
    feed.active = Date.now()
    this.#input.push(feed.pty, bytes)
  }

  hangUp(): void {
    this.client.close()
  }

  tookInput(): void {
    this.#tellTaken ??= setTimeout(() => this.#tellOfTaken(), TAKEN_MS)
  }

  /**
   * Records input that the client typed into the terminal directly. Throws RangeError for a malformed payload, and for a
   * client that cannot do that.
   */
  typedDirectly(payload: Uint8Array): void {
    if (!this.client.transport.passesDescriptors) throw new RangeError('this client has no terminal')
    const feed = this.activity?.feed
    if (!feed || feed.readonly) return
    const typed: TypedDirectly = decodeTyped(payload)
    if (typed.bytes.length) feed.active = Date.now()
    feed.pty.typed(typed)
  }

  /** The browser has shown so much. Throws RangeError for a malformed payload. */
  shown(payload: Uint8Array): void {
    const { offset } = decodeOutput(payload)
    if (offset > this.#sent) throw new RangeError('more was shown than sent')
    this.#shown = Math.max(this.#shown, offset)
    this.activity?.feed?.catchUp()
  }

  #tellOfTaken(): void {
    this.#tellTaken = undefined
    if (!this.#isGone) this.client.transport.send(encodeTaken(this.channel, this.#input.taken))
  }

  notice(text: string): void {
    this.client.tell({ type: 'notice', text, ...(this.#number ? { channel: this.#number } : {}) })
  }

  answers(from: number | undefined, asked: Uint8Array): void {
    this.client.tell({
      type: 'answers',
      ...(this.#number ? { channel: this.#number } : {}),
      ...(from === undefined ? {} : { from }),
      ...(asked.length ? { asked: Buffer.from(asked).toString('base64') } : {}),
    })
  }

  stopped(): void {
    this.client.tell({ type: 'stopped', ...(this.#number ? { channel: this.#number } : {}) })
  }

  exit(message: ExitMessage): void {
    this.client.tell({ type: 'exit', ...message, ...(this.#number ? { channel: this.#number } : {}) })
  }

  output(offset: number, bytes: Uint8Array): void {
    this.send(encodeOutput(this.channel, offset, bytes))
  }

  send(...parts: Uint8Array[]): void {
    if (this.#isGone) return
    if (this.isRemote) for (const { length } of parts) this.#sent += length
    this.client.transport.send(...parts)
    if (!this.isRemote && !this.queued) this.activity?.feed?.catchUp()
  }

  gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    clearTimeout(this.#tellTaken)
    this.#input.end()
    const activity = this.#activity
    this.#activity = undefined
    if (activity) quit(activity)
  }
}
