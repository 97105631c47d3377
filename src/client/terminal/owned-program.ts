/**
 * The program of `coop run` and `coop exec` on a terminal, which ends with its client: signals to the client are its
 * signals, and after its terminal has gone it has time to finish, as it would have without coop.
 */
import type { Session } from '../session.ts'
import { onSignals } from '../signals.ts'

const SIGHUP = 1
const GRACE_MS = 5_000 // as long as `coop kill` waits

export class OwnedProgram {
  /** The daemon's connection; undefined while the program has not started or the daemon is lost. */
  #session: Session | undefined
  #waiting: number[] = []
  #isHungUp = false
  #timer: Timer | undefined
  readonly #expired: () => void

  /** Calls `expired` when the program has not ended in time after a hang-up. */
  constructor(expired: () => void) {
    this.#expired = expired
    onSignals((signal) => this.#pass(signal))
  }

  /** The program runs, and this session reaches it. */
  reachedBy(session: Session): void {
    this.#session = session
    for (const signal of this.#waiting.splice(0)) session.signal(signal)
  }

  /** The terminal is gone. A shell that ended with it may have sent the signal already. */
  hangUp(): void {
    if (!this.#isHungUp) this.#pass(SIGHUP)
    this.#timer ??= setTimeout(this.#expired, GRACE_MS)
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #pass(signal: number): void {
    if (signal === SIGHUP) this.#isHungUp = true
    if (this.#session && !this.#session.isClosed) this.#session.signal(signal)
    else this.#waiting.push(signal)
  }
}
