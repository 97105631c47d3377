/** Whether an agent waits for its user, from what it puts out and what is typed. Pure. */

import type { Waiting } from '../store/box-manifest.ts'

export type { Waiting } from '../store/box-manifest.ts'

/** An agent that works shows it: a spinner, a clock, lines. One that is silent for so long has a question. */
export const QUIET_MS = 5_000
const REDRAW_MS = 1_000 // what a program draws because its window changed is no work
const BUSY_MS = 1_500 // output over so long a time means that it works again, with nobody having answered

/** What terminals answer and mice report comes from no person. */
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

  /** When it is quiet for long enough, if nothing comes; undefined when there is nothing to wait for. */
  get quietAt(): number | undefined {
    return this.#fresh && !this.#state ? this.#lastOutput + QUIET_MS : undefined
  }

  /** A bell, or a notification with a text. */
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

  /** It has been silent; whether that means something depends on when it last said something. */
  quiet(now: number): void {
    const at = this.quietAt
    if (at !== undefined && now >= at) this.#state = { since: this.#lastOutput, said: false }
  }

  /** Somebody typed: the question, if there was one, is answered. */
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
