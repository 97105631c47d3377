/** Watches the agent's terminal: what the agent is doing, and what it asks. */
import { Attention } from '../vt/attention.ts'
import { type Activity, ActivityState, isTyped, needsUser } from './activity.ts'
import type { Pty } from './pty.ts'

// Each report writes the manifest, messages every client and sets a title, and an agent may ring thousands of times.
export const TELL_MS = 500
/** An agent rings before it has drawn its question. */
const DRAWN_MS = 200

export interface Told {
  /** The new state, when it begins, ends or gets another text: at most twice a second. */
  changed(activity: Activity | undefined): void
  /** What the screen says, for a question without words of its own. Not asked for every guess. */
  words?(activity: Activity): Promise<string> | undefined
}

export class AgentWatch {
  readonly #attention: Attention
  readonly #activity: ActivityState
  readonly #told: Told
  #known: Activity | undefined
  #timer: Timer | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #tellTimer: Timer | undefined
  /** The beginning of the state for which the screen was read. */
  #described: number | undefined
  #isReading = false

  constructor(pty: Pty, known: Activity | undefined, told: Told) {
    this.#activity = new ActivityState(known)
    this.#known = known
    this.#described = known?.since
    this.#told = told
    this.#attention = new Attention({
      status: (status) => this.#activity.reported(status, Date.now()),
      title: (title) => this.#activity.titled(title, Date.now()),
      progress: (works) => this.#activity.progressed(works, Date.now()),
    })
    pty.listen({
      output: (bytes) => {
        const now = Date.now()
        this.#activity.output(now)
        const signal = this.#attention.push(bytes, now)
        if (signal) this.#activity.said(signal.text, now)
        this.#look()
      },
      input: (bytes) => {
        if (isTyped(bytes)) this.#activity.input(Date.now())
        this.#look()
      },
      resize: () => this.#activity.redraw(Date.now()),
    })
  }

  /** What the agent is doing now; told up to half a second later. */
  get activity(): Activity | undefined {
    return this.#activity.activity
  }

  /** The program has ended. */
  reset(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#activity.reset()
    this.#tell()
    this.#look()
  }

  #look(): void {
    const { quietAt } = this.#activity
    if (this.#isNews() && !this.#isReading) {
      const wait = this.#toldAt + TELL_MS - performance.now()
      const text = this.#needsWords() ? DRAWN_MS : 0
      if (wait <= 0 && !text) this.#tell()
      else this.#tellTimer ??= setTimeout(() => this.#due(), Math.max(wait, text))
    }
    // A single timer, set again only after it has fired, because output events come by the thousand.
    if (quietAt !== undefined) this.#timer ??= setTimeout(() => this.#quiet(), quietAt - Date.now())
  }

  #isNews(): boolean {
    const { activity } = this.#activity
    const known = this.#known
    return (
      activity?.state !== known?.state || activity?.since !== known?.since || activity?.text !== known?.text
    )
  }

  #needsWords(): boolean {
    const { activity } = this.#activity
    return needsUser(activity) && activity.text === undefined && activity.since !== this.#described
  }

  /** The time to tell has come: reads the screen first where the agent gave no words. */
  #due(): void {
    this.#tellTimer = undefined
    const { activity } = this.#activity
    if (!activity || !this.#needsWords()) return this.#tell()
    const { since } = activity
    const early = since + DRAWN_MS - Date.now()
    if (early > 0) {
      this.#tellTimer = setTimeout(() => this.#due(), Math.min(early, DRAWN_MS))
      return
    }
    const reading = this.#told.words?.(activity)
    if (!reading) return this.#tell()
    this.#described = since
    this.#isReading = true
    const read = (text: string): void => {
      this.#isReading = false
      this.#activity.describe(since, text)
      this.#tell()
      this.#look()
    }
    reading.then(read, () => read(''))
  }

  #tell(): void {
    clearTimeout(this.#tellTimer)
    this.#tellTimer = undefined
    if (!this.#isNews()) return
    this.#toldAt = performance.now()
    this.#known = this.#activity.activity
    this.#told.changed(this.#known)
  }

  #quiet(): void {
    this.#timer = undefined
    this.#activity.quiet(Date.now())
    this.#look()
  }
}
