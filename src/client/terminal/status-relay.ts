/**
 * Passes a program's reports of what it is doing (OSC 7501) on to the user's terminal, if that wants them: a terminal
 * that knows them answers the query. It is asked once, when the first report comes. Pure but for its state.
 */
import type { Rule } from '../../answers/rule.ts'

const ST = '\x1b\\'
const QUERY = `\x1b]7501;?${ST}`
const CLEAR = `\x1b]7501;state=clear${ST}`
const ANSWER = /\x1b\]7501;\?[^\x07\x1b]{0,64}(?:\x07|\x1b\\)/
const ANSWER_MS = 3_000 // from then on an answer would be a question's of the program

/** The form of the answer, for a client that leaves before it has come. */
export const STATUS_REPLY: Pick<Rule, 'reply'> = { reply: /^\x1b\]7501;\?/ }

export class StatusRelay {
  #state: 'new' | 'asked' | 'wanted' | 'unwanted' = 'new'
  #askedAt = 0
  /** The newest report, until the terminal has answered. */
  #held = ''
  #hasPassed = false

  /** Returns the bytes for the terminal instead of a checked report. */
  report(text: string, now: number): string {
    const report = `\x1b]${text}${ST}`
    if (this.#state === 'wanted') {
      this.#hasPassed = true
      return report
    }
    if (this.#state === 'unwanted') return ''
    this.#held = report
    if (this.#state === 'asked') return ''
    this.#state = 'asked'
    this.#askedAt = now
    return QUERY
  }

  /** Whether the terminal has been asked and may still answer. */
  get isAsked(): boolean {
    return this.#state === 'asked'
  }

  /** Takes the terminal's answer out of input. `show` gets what the terminal lacks. */
  input(bytes: Uint8Array, now: number, show: (report: string) => void): Uint8Array {
    if (this.#state !== 'asked') return bytes
    if (now - this.#askedAt > ANSWER_MS) {
      this.#state = 'unwanted'
      return bytes
    }
    const text = Buffer.from(bytes).toString('latin1')
    const found = ANSWER.exec(text)
    if (!found) return bytes
    this.#state = 'wanted'
    this.#hasPassed = true
    show(this.#held)
    return Buffer.from(text.replace(found[0], ''), 'latin1')
  }

  /** The bytes after which the terminal knows of no report. */
  end(): string {
    return this.#hasPassed ? CLEAR : ''
  }
}
