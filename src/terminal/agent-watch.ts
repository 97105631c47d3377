/** Watches the agent's terminal for the moment when it needs its user. */
import { Attention } from '../vt/attention.ts'
import type { Pty } from './pty.ts'
import { isTyped, type Waiting, WaitingState } from './waiting.ts'

export class AgentWatch {
  readonly #attention = new Attention()
  readonly #waiting: WaitingState
  readonly #changed: (waiting: Waiting | undefined) => void
  #known: Waiting | undefined
  #timer: Timer | undefined

  /** `changed` is told when it begins or ceases to wait. */
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
    this.#look()
  }

  #look(): void {
    const { state, quietAt } = this.#waiting
    if (state?.since !== this.#known?.since || state?.text !== this.#known?.text) {
      this.#known = state
      this.#changed(state)
    }
    // One timer, set anew only when it has gone off: output comes by the thousand.
    if (quietAt !== undefined) this.#timer ??= setTimeout(() => this.#quiet(), quietAt - Date.now())
  }

  #quiet(): void {
    this.#timer = undefined
    this.#waiting.quiet(Date.now())
    this.#look()
  }
}
