/**
 * The messages of one connection, in order and with bounds on its calls. A client can send thousands of calls at once, and the
 * daemon does the first part of each as it comes: other clients get their turn in between. A client that does not take
 * its replies is not read any more, so that it makes neither work nor full memory.
 */
import type { ClientMessage, RefusedCall } from '../protocol/messages.ts'

const CALLS_A_TURN = 8 // of one connection, before everything else that has happened meanwhile
const MAX_RUNNING = 512 // calls of one connection: two for each of its channels
const MAX_UNREAD = 256 * 1024 // bytes that wait to be sent
const MAX_HELD = 1 << 20 // bytes of messages that wait; only a transport that cannot pause gets there

export type Message = ClientMessage | RefusedCall

/** The connection of the messages. */
export interface Requester {
  /** Bytes that wait to be sent to it. */
  readonly queued: number
  /** Undefined if it is none. Takes some ten microseconds, so messages that wait are read when it is their turn. */
  parse(payload: Uint8Array): Message | undefined
  /** Carries a message out. Throws for one after which the connection is of no use. */
  handle(message: Message): void
  /** Reads no more, where the transport can do that, or reads on. */
  pause(isPaused: boolean): void
  close(): void
}

const isCall = ({ type }: Message): boolean => type === 'call' || type === 'refused'

interface Held {
  readonly payload: Uint8Array
  message: Message | undefined
}

export class Requests {
  readonly #requester: Requester
  #held: Held[] = []
  #heldSize = 0
  #left = CALLS_A_TURN
  #turn: NodeJS.Immediate | undefined
  #running = 0
  #isEnded = false

  constructor(requester: Requester) {
    this.#requester = requester
  }

  /** Takes the next message; `payload` is valid only during the call. What is behind a call that waits waits, too. */
  push(payload: Uint8Array): void {
    if (this.#isEnded) return
    const message = this.#held.length ? undefined : this.#requester.parse(payload)
    if (!this.#held.length) {
      if (!message) return this.#requester.close()
      if (this.#mayGo(message)) return this.#go(message)
      this.#requester.pause(true)
    }
    this.#held.push({ payload: new Uint8Array(payload), message })
    this.#heldSize += payload.length
    if (this.#heldSize > MAX_HELD) this.#requester.close()
  }

  /** A call has begun. Returns the function that says that it has its answer. */
  begin(): () => void {
    this.#running++
    return () => {
      if (this.#running-- === MAX_RUNNING) this.goOn()
    }
  }

  /** Carries out what waits, as far as that may go on now. */
  goOn(): void {
    if (!this.#held.length) return
    try {
      for (let next = this.#held[0]; next; next = this.#held[0]) {
        next.message ??= this.#requester.parse(next.payload)
        if (!next.message) return this.#requester.close()
        if (!this.#mayGo(next.message)) return
        this.#held.shift()
        this.#heldSize -= next.payload.length
        this.#go(next.message)
      }
    } catch {
      this.#requester.close()
    }
    if (!this.#isEnded) this.#requester.pause(false)
  }

  end(): void {
    this.#isEnded = true
    this.#held = []
    this.#heldSize = 0
    clearImmediate(this.#turn)
  }

  #mayGo(message: Message): boolean {
    return (
      !isCall(message) ||
      (this.#left > 0 && this.#running < MAX_RUNNING && this.#requester.queued <= MAX_UNREAD)
    )
  }

  #go(message: Message): void {
    if (isCall(message) && --this.#left === 0)
      this.#turn = setImmediate(() => {
        this.#left = CALLS_A_TURN
        this.goOn()
      })
    this.#requester.handle(message)
  }
}
