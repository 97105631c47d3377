/**
 * Moves bytes between this process's streams and the pipes of a command. One ppoll waits for all of them and the
 * daemon: Bun's event loop waits only for descriptors that it reads itself, and a copy through it takes four times as
 * long.
 */
import { PollSet } from '../../../ffi/poll.ts'
import type { InputRelay } from './input-relay.ts'
import type { OutputRelay } from './output-relay.ts'

const IDLE_MS = 250 // a signal right before the wait is handled at most this much later
const GLANCE_MS = 1 // between two polls while the event loop has its own work to wait for
const TURN_MOVES = 64 // moves of at most 64 KiB before the event loop has a turn
const SESSION = 0
const INPUT = 1
const FIRST_OUTPUT = 3

export class Relay {
  readonly #input: InputRelay | undefined
  readonly #outputs: readonly OutputRelay[]
  readonly #poll: PollSet
  /** The daemon's connection; undefined while it is lost. */
  #session: number | undefined
  #finishing = false
  #running: Promise<void> | undefined

  constructor(input: InputRelay | undefined, outputs: readonly OutputRelay[]) {
    this.#input = input
    this.#outputs = outputs
    this.#poll = new PollSet(Array.from({ length: FIRST_OUTPUT + 2 * outputs.length }, () => -1))
  }

  /** Starts or continues, and watches the daemon's connection; undefined while that is lost. */
  watch(session: number | undefined): void {
    this.#session = session
    this.#running ??= this.#run()
  }

  /** Finishes when the command is over. Resolves when all of its output is written. */
  async finish(): Promise<void> {
    this.#finishing = true
    for (const output of this.#outputs) output.finish()
    this.#running ??= this.#run()
    await this.#running
    this.end()
  }

  /** Ends at once; remaining output is lost. Restores the terminal and the input. */
  end(): void {
    this.#finishing = true
    for (const output of this.#outputs) output.end()
    this.#input?.end()
  }

  get #isBusy(): boolean {
    return this.#outputs.some((output) => output.isOpen) || (!this.#finishing && this.#input?.isOpen === true)
  }

  async #run(): Promise<void> {
    while (this.#isBusy) {
      const isWaiting = this.#session !== undefined || this.#finishing
      this.#serve(isWaiting)
      if (isWaiting) await new Promise((resolve) => setImmediate(resolve))
      else await new Promise((resolve) => setTimeout(resolve, GLANCE_MS))
    }
    this.#running = undefined
  }

  /** Moves bytes until the event loop is needed: for a message of the daemon, a signal, or after a while. */
  #serve(isWaiting: boolean): void {
    const poll = this.#poll
    for (let moves = 0; moves < TURN_MOVES && this.#isBusy; moves++) {
      this.#arm()
      if (!poll.waitFor(isWaiting ? IDLE_MS : 0)) return
      if (poll.events(SESSION)) return
      let moved = this.#input?.serve(poll.events(INPUT), poll.events(INPUT + 1)) === true
      this.#outputs.forEach((output, index) => {
        const at = FIRST_OUTPUT + 2 * index
        if (output.serve(poll.events(at), poll.events(at + 1))) moved = true
      })
      if (!moved && !isWaiting) return
    }
  }

  #arm(): void {
    const poll = this.#poll
    poll.set(SESSION, this.#finishing ? -1 : (this.#session ?? -1), 1)
    const input = this.#finishing ? undefined : this.#input
    poll.set(INPUT, input?.input ?? -1, input?.inputEvents ?? 0)
    poll.set(INPUT + 1, input?.pipe ?? -1, input?.pipeEvents ?? 0)
    this.#outputs.forEach((output, index) => {
      const at = FIRST_OUTPUT + 2 * index
      poll.set(at, output.pipe, output.pipeEvents)
      poll.set(at + 1, output.output, output.outputEvents)
    })
  }
}
