/** Watches the agent's terminal for the moment when it needs its user. */
import { Attention } from '../vt/attention.ts'
import type { Pty } from './pty.ts'
import { isTyped, type Waiting, WaitingState } from './waiting.ts'

/** Each change is written down and told to every client: a program that says something else all the time waits. */
const AGAIN_MS = 250

export class AgentWatch {
  readonly #attention = new Attention()
  readonly #waiting: WaitingState
  readonly #changed: (waiting: Waiting | undefined) => void
  #known: Waiting | undefined
  #timer: Timer | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #later: Timer | undefined

  /** `changed` is told when it begins or ceases to wait. */
  constructor(pty: Pty, known: Waiting | undefined, changed: (waiting: Waiting | undefined) => void) {
    this.#waiting = new WaitingState(known)
    this.#known = known
    this.#changed = changed
    pty.onOutput = (bytes) => {
      const now = Date.now()
      this.#waiting.output(now)
      const signal = this.#attention.push(bytes, now)
      if (signal) this.#waiting.said(signal.text, now)
      this.#look()
    }
    pty.onInput = (bytes) => {
      if (isTyped(bytes)) this.#waiting.input()
      this.#look()
    }
    pty.onResize = () => this.#waiting.redraw(Date.now())
  }

  /** The program has ended. */
  reset(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#later)
    this.#timer = this.#later = undefined
    this.#waiting.reset()
    this.#look()
  }

  #look(): void {
    const { state, quietAt } = this.#waiting
    if (state?.since !== this.#known?.since || state?.text !== this.#known?.text) this.#tell(state)
    // One timer, set anew only when it has gone off: output comes by the thousand.
    if (quietAt !== undefined) this.#timer ??= setTimeout(() => this.#quiet(), quietAt - Date.now())
  }

  #tell(state: Waiting | undefined): void {
    const now = performance.now()
    const wait = this.#toldAt + AGAIN_MS - now
    if (state && this.#known && wait > 0) {
      this.#later ??= setTimeout(() => {
        this.#later = undefined
        this.#look()
      }, wait)
      return
    }
    this.#toldAt = now
    this.#known = state
    this.#changed(state)
  }

  #quiet(): void {
    this.#timer = undefined
    this.#waiting.quiet(Date.now())
    this.#look()
  }
}
