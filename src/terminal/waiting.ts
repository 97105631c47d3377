/** Whether an agent waits for its user, judged by its output and by input. Pure. */

import type { Waiting } from '../store/box-manifest.ts'

export type { Waiting } from '../store/box-manifest.ts'

/** A working agent shows it: a spinner, a clock, lines. An agent that is silent for so long has a question. */
export const QUIET_MS = 5_000
const REDRAW_MS = 1_000 // a redraw after a change of the window is not work
const BUSY_MS = 1_500 // output for so long means that it works again although nobody has answered

/** Answers of terminals and reports of the mouse do not come from a person. */
const ANSWERS =
  /\x1b\[(?:[?>=]?[\d;]*[cRnuty]|[IO]|<[\d;]*[Mm])|\x1b\](?:[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\/g

export function isTyped(input: Uint8Array): boolean {
  return Buffer.from(input).toString('latin1').replace(ANSWERS, '') !== ''
}

export class WaitingState {
  #state: (Waiting & { readonly said: boolean }) | undefined
  /** Output since the last input that was more than a redraw. */
  #fresh = false
  #lastOutput = 0
  #busySince = 0
  #redrawUntil = 0

  constructor(state: Waiting | undefined) {
    if (state) this.#state = { ...state, said: true }
  }

  get state(): Waiting | undefined {
    if (!this.#state) return undefined
    const { since, text } = this.#state
    return { since, ...(text === undefined ? {} : { text }) }
  }

  /** The time at which it has been quiet long enough, if no output comes; undefined if there is nothing to wait for. */
  get quietAt(): number | undefined {
    return this.#fresh && !this.#state ? this.#lastOutput + QUIET_MS : undefined
  }

  /** The program rang the bell, or sent a notification with a text. */
  said(text: string | undefined, now: number): void {
    const since = this.#state?.since ?? now
    this.#state = { since, said: true, ...(text === undefined ? {} : { text }) }
  }

  output(now: number): void {
    if (now < this.#redrawUntil) return
    if (now - this.#lastOutput > REDRAW_MS) this.#busySince = now
    this.#lastOutput = now
    this.#fresh = true
    const works = now - this.#busySince > BUSY_MS && now - (this.#state?.since ?? now) > BUSY_MS
    if (this.#state && (!this.#state.said || works)) this.#state = undefined
  }

  /** It has been silent; its last signal decides whether that means something. */
  quiet(now: number): void {
    const at = this.quietAt
    if (at !== undefined && now >= at) this.#state = { since: this.#lastOutput, said: false }
  }

  /** Somebody typed, which answers a question. */
  input(): void {
    this.#state = undefined
    this.#fresh = false
  }

  redraw(now: number): void {
    this.#redrawUntil = now + REDRAW_MS
  }

  /** The program has ended, or another one starts. */
  reset(): void {
    this.#state = undefined
    this.#fresh = false
  }
}
