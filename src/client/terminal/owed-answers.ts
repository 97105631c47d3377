/**
 * The questions that the user's terminal has got and not answered yet. A client that leaves waits for the answers: they
 * would be typed at the user's prompt, or into the program that the client shows next.
 */
import { answeredBy, Replies } from '../../answers/replies.ts'
import { NO_FACTS, type Rule } from '../../answers/rule.ts'
import { ruleOf } from '../../answers/rules.ts'
import type { Sequence } from '../../vt/sequence.ts'
import { without } from './typed-ahead.ts'

/** A terminal that has not answered after that does not know the question. */
const OWED_MS = 2_000
const MAX_OWED = 256
/** The last question, which every terminal answers (DA1): those before it that are unanswered then stay so. */
const LAST = Buffer.from('\x1b[c')
const LAST_REPLY: Pick<Rule, 'reply'> = { reply: /^\x1b\[\?[\d;]*c$/ }

interface Owed {
  readonly rule: Pick<Rule, 'reply'>
  readonly until: number
}

export class OwedAnswers {
  #owed: Owed[] = []
  readonly #replies = new Replies()
  /** Questions of programs that have ended, as long as the terminal may answer them. */
  #ended: Owed[] = []
  readonly #endedReplies = new Replies()
  #lateFrom = 0

  /**
   * A question is about to get to the terminal. Returns coop's own answer where coop is asked, and false where the
   * terminal must not get the question: it owes so many answers that a further one could not be told from a key.
   */
  asked(sequence: Sequence, now: number): string | false | undefined {
    const rule = ruleOf(sequence)
    if (!rule || rule.attached === 'nobody') return undefined
    if (rule.attached === 'coop') return rule.answer?.(sequence, NO_FACTS)
    if (this.#owed.length >= MAX_OWED && !this.#hasRoom(now)) return false
    this.#owed.push({ rule, until: now + OWED_MS })
    return undefined
  }

  #hasRoom(now: number): boolean {
    this.some(now)
    return this.#owed.length < MAX_OWED
  }

  /** The terminal is asked something by coop itself. */
  expect(rule: Pick<Rule, 'reply'>, now: number): void {
    this.#owed.push({ rule, until: now + OWED_MS }) // it is asked once
  }

  /**
   * The program that asked has ended, and its daemon asks a last question: the next program, which starts once that is
   * answered or has taken too long, must not get these answers.
   */
  programEnded(now: number): void {
    this.#ended.push(...this.#owed)
    this.#lateFrom = now + OWED_MS
  }

  /** Returns input without answers that come too late for the program that asked. */
  timely(bytes: Uint8Array, now: number): Uint8Array {
    if (!this.#ended.length) return bytes
    let text = Buffer.from(bytes).toString('latin1')
    for (const reply of this.#endedReplies.push(bytes)) {
      const at = answeredBy(reply, this.#ended)
      if (at < 0) continue
      this.#ended = this.#ended.slice(at + 1)
      if (now >= this.#lateFrom) text = without(text, reply)
    }
    return Buffer.from(text, 'latin1')
  }

  /** Input has come from the terminal. Returns the answers among it. */
  input(bytes: Uint8Array): readonly string[] {
    if (!this.#owed.length) return []
    return this.#replies.push(bytes).filter((reply) => {
      const at = answeredBy(reply, this.#owed)
      if (at >= 0) this.#owed = this.#owed.slice(at + 1)
      return at >= 0
    })
  }

  /** Whether answers are to be waited for. */
  some(now: number): boolean {
    this.#owed = this.#owed.filter(({ until }) => until > now)
    return this.#owed.length > 0
  }

  /** Returns a last question for the terminal; `input` returns its answer as the last one. */
  last(): Uint8Array {
    this.#owed.push({ rule: LAST_REPLY, until: Number.POSITIVE_INFINITY })
    return LAST
  }
}
