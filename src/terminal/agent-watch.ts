/** Watches the agent's terminal for the moment when it needs its user. */
import { Attention } from '../vt/attention.ts'
import type { Pty } from './pty.ts'
import { isTyped, type Waiting, WaitingState } from './waiting.ts'

// Each report writes the manifest, messages every client and sets a title, and an agent may ring thousands of times.
export const TELL_MS = 500

export class AgentWatch {
  readonly #attention = new Attention()
  readonly #waiting: WaitingState
  readonly #changed: (waiting: Waiting | undefined) => void
  #known: Waiting | undefined
  #timer: Timer | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #tellTimer: Timer | undefined

  /** `changed` receives the new state when the wait begins, ends or gets another text: at most twice a second. */
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
    // A single timer, set again only after it has fired, because output events come by the thousand.
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
