/**
 * An answer to an agent: its question from its screen, and a receipt for each key that is sent: it is on its way, and then
 * the program's terminal has it.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import type { Clock } from '../../src/core/clock.ts'
import { type Question, questionOf, type ScreenLines } from './question.ts'

export interface Receipt {
  readonly id: number
  /** The key, or the beginning of a text. */
  readonly label: string
  readonly state: 'sent' | 'taken' | 'lost'
}

/** The way to the agent's terminal. */
export interface Way {
  readonly isOpen: ReadonlySignal<boolean>
  /** How many bytes were typed in all. */
  readonly typed: number
  send(text: string): void
  readScreen(): Promise<ScreenLines>
}

/** A screen is read again so long after output: a redraw comes in pieces. */
const DRAWN_MS = 150
/** And at the latest so long after the first of it. */
const MOST_MS = 600
/** Answers that have just changed under a thumb are not meant by it. */
export const SETTLE_MS = 500
/** Between a text and its Enter: agents take what comes in one piece for a paste, and an Enter in it for a line. */
const ENTER_MS = 120
const MAX_RECEIPTS = 6
const MAX_LABEL = 40 // characters

interface Sent extends Receipt {
  /** The offset after it. */
  readonly end: number
  readonly then?: (() => void) | undefined
}

export class Answering {
  readonly #way: Way
  readonly #clock: Clock
  readonly #question = signal<Question | undefined>(undefined)
  readonly #error = signal<string | undefined>(undefined)
  readonly #sent = signal<readonly Sent[]>([])
  readonly #isSettled = signal(true)
  #lastId = 0
  #cancel: (() => void) | undefined
  #firstOutput: number | undefined
  #isReading = false
  #isOver = false
  #cancelSettle: (() => void) | undefined

  constructor(way: Way, clock: Clock) {
    this.#way = way
    this.#clock = clock
  }

  get question(): ReadonlySignal<Question | undefined> {
    return this.#question
  }

  /** Why the screen cannot be read. */
  get error(): ReadonlySignal<string | undefined> {
    return this.#error
  }

  /** The newest last. */
  readonly receipts = computed<readonly Receipt[]>(() => this.#sent.value)

  /** Whether keys get to the terminal now. */
  get isOpen(): ReadonlySignal<boolean> {
    return this.#way.isOpen
  }

  /** Whether the answers have been the same for a moment. */
  get isSettled(): ReadonlySignal<boolean> {
    return this.#isSettled
  }

  /** Something may have changed on the screen. */
  changed(): void {
    if (this.#isOver) return
    const now = this.#clock.now()
    this.#firstOutput ??= now
    this.#cancel?.()
    const wait = Math.min(DRAWN_MS, Math.max(0, this.#firstOutput + MOST_MS - now))
    this.#cancel = this.#clock.after(wait, () => void this.read())
  }

  async read(): Promise<void> {
    if (this.#isReading) return this.changed()
    this.#cancel?.()
    this.#cancel = undefined
    this.#firstOutput = undefined
    this.#isReading = true
    try {
      const question = questionOf(await this.#way.readScreen())
      if (this.#isOver) return
      this.#error.value = undefined
      const before = this.#question.value
      if (before && !isSameAnswers(before, question)) this.#unsettle()
      this.#question.value = question
    } catch (error) {
      if (!this.#isOver) this.#error.value = error instanceof Error ? error.message : String(error)
    } finally {
      this.#isReading = false
    }
  }

  #unsettle(): void {
    this.#isSettled.value = false
    this.#cancelSettle?.()
    this.#cancelSettle = this.#clock.after(SETTLE_MS, () => {
      this.#isSettled.value = true
    })
  }

  /** Sends an answer. The other answers have to wait until the screen shows what came of it. */
  choose(label: string, bytes: string): boolean {
    const isSent = this.key(label, bytes)
    if (isSent) this.#unsettle()
    return isSent
  }

  /** Sends a key. Returns false when it was not meant, or cannot be sent. */
  key(label: string, bytes: string): boolean {
    if (!this.#way.isOpen.value || this.#isOver) return false
    if (!this.#isSettled.value) return false
    this.#send(label, bytes)
    return true
  }

  /** Sends a line of text, and Enter once the terminal has it. */
  text(text: string): boolean {
    if (!this.#way.isOpen.value || this.#isOver || !text) return false
    const enter = (): void => {
      this.#clock.after(ENTER_MS, () => this.#send('Enter', '\r'))
    }
    const all = [...text]
    const label = all.length > MAX_LABEL ? `${all.slice(0, MAX_LABEL - 1).join('')}…` : text
    this.#send(`“${label}”`, text, enter)
    return true
  }

  #send(label: string, bytes: string, then?: () => void): void {
    if (this.#isOver) return
    this.#way.send(bytes)
    const sent: Sent = { id: ++this.#lastId, label, state: 'sent', end: this.#way.typed, then }
    this.#sent.value = [...this.#sent.value, sent].slice(-MAX_RECEIPTS)
  }

  /** The terminal has everything before `offset`. */
  taken(offset: number): void {
    const now = this.#sent.value.filter(({ state, end }) => state === 'sent' && end <= offset)
    if (!now.length) return
    this.#sent.value = this.#sent.value.map((one) => (now.includes(one) ? { ...one, state: 'taken' } : one))
    for (const { then } of now) then?.()
    this.changed()
  }

  /** What is still on its way never arrives. */
  lost(): void {
    this.#sent.value = this.#sent.value.map((one) => (one.state === 'sent' ? { ...one, state: 'lost' } : one))
  }

  end(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#cancelSettle?.()
  }
}

const isSameAnswers = (one: Question, other: Question): boolean =>
  one.choices.length === other.choices.length &&
  one.choices.every(
    ({ send, label }, at) => send === other.choices[at]?.send && label === other.choices[at]?.label,
  )
