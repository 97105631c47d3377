/** Finds a terminal's answers in what is typed. Pure but for its state. */
import { ESC } from '../vt/characters.ts'
import { Sequence } from '../vt/sequence.ts'
import type { Rule } from './rule.ts'

/**
 * The daemon's last question for a program that has ended: DA1, in a form that no program's question is handed over in.
 * Every terminal answers it.
 */
export const PROGRAM_ENDED = Buffer.from('\x1b[0c')

const MAX_REPLY = 1024 // bytes of an incomplete answer that are kept
const REPLIES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_][^\x07\x1b]*(?:\x07|\x1b\\))/g
/** The end of the input, if it may become an answer. */
const PARTIAL = /\x1b(?:\[[0-?]*[ -/]*|[\]P_][^\x07\x1b]*\x1b?)?$/

export class Replies {
  #partial = ''

  /** Returns the sequences that are complete now, one character per byte. They may be keys as well. */
  push(bytes: Uint8Array): readonly string[] {
    if (!this.#partial && bytes.indexOf(ESC) < 0) return []
    const text = this.#partial + Buffer.from(bytes).toString('latin1')
    const partial = PARTIAL.exec(text)?.[0] ?? ''
    this.#partial = partial.length <= MAX_REPLY ? partial : ''
    return text.match(REPLIES) ?? []
  }

  /** Forgets an incomplete answer. */
  reset(): void {
    this.#partial = ''
  }
}

/** The index of the question that a sequence answers; negative if it is none's answer. */
export function answeredBy(
  reply: string,
  questions: readonly { readonly rule: Pick<Rule, 'reply'> }[],
): number {
  return questions.findIndex(({ rule }) => rule.reply?.test(reply))
}

/** A copy of a sequence that stays valid. */
export function copyOf(sequence: Sequence): Sequence {
  const copy = Object.assign(new Sequence(), sequence)
  copy.bytes = new Uint8Array(sequence.raw)
  copy.from = 0
  copy.to = copy.bytes.length
  copy.payloadFrom = sequence.payloadFrom - sequence.from
  copy.payloadTo = sequence.payloadTo - sequence.from
  return copy
}
