/** Watches the agent's terminal for the moment when it needs its user. */
import { Attention } from '../vt/attention.ts'
import type { Pty } from './pty.ts'
import { isTyped, type Waiting, WaitingState } from './waiting.ts'

// Each news is a manifest written, a message to every client and a title, and an agent may ring by the thousand.
export const TELL_MS = 500

export class AgentWatch {
  readonly #attention = new Attention()
  readonly #waiting: WaitingState
  readonly #changed: (waiting: Waiting | undefined) => void
  #known: Waiting | undefined
  #timer: Timer | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #tellTimer: Timer | undefined

  /** `changed` is told when it begins or ceases to wait, or says something else: how it stands, twice a second at most. */
  constructor(pty: Pty, known: Waiting | undefined, changed: (waiting: Waiting | undefined) => void) {
    this.#waiting = new WaitingState(known)
    this.#known = known
    this.#changed = changed
    pty.listen({
      output: (bytes) => {
        const now = Date.now()
        this.#waiting.output(now)
        const signal = this.#attention.push(bytes, now)
        if (signal) this.#waiting.said(signal.text, now)
        this.#look()
      },
      input: (bytes) => {
        if (isTyped(bytes)) this.#waiting.input()
        this.#look()
      },
      resize: () => this.#waiting.redraw(Date.now()),
    })
  }

  /** The program has ended. */
  reset(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.reset()
    this.#tell()
    this.#look()
  }

  #look(): void {
    const { quietAt } = this.#waiting
    if (this.#isNews()) {
      const wait = this.#toldAt + TELL_MS - performance.now()
      if (wait <= 0) this.#tell()
      else this.#tellTimer ??= setTimeout(() => this.#tell(), wait)
    }
    // One timer, set anew only when it has gone off: output comes by the thousand.
    if (quietAt !== undefined) this.#timer ??= setTimeout(() => this.#quiet(), quietAt - Date.now())
  }

  #isNews(): boolean {
    const { state } = this.#waiting
    return state?.since !== this.#known?.since || state?.text !== this.#known?.text
  }

  #tell(): void {
    clearTimeout(this.#tellTimer)
    this.#tellTimer = undefined
    if (!this.#isNews()) return
    this.#toldAt = performance.now()
    this.#known = this.#waiting.state
    this.#changed(this.#known)
  }

  #quiet(): void {
    this.#timer = undefined
    this.#waiting.quiet(Date.now())
    this.#look()
  }
}
