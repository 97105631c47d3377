/**
 * The questions of a terminal's program, and who answers each: exactly one. A client that shows all output answers
 * (its terminal does); while there is none, the daemon does, from the emulator's state.
 */
import { answeredBy, copyOf, PROGRAM_ENDED, Replies } from '../answers/replies.ts'
import type { Facts, Rule, TerminalState } from '../answers/rule.ts'
import { ruleOf } from '../answers/rules.ts'
import { pushBeyondColors } from '../vt/colored-text.ts'
import { Sequence } from '../vt/sequence.ts'
import { Tokenizer } from '../vt/tokenizer.ts'
import { FOCUS, Focus } from './focus.ts'
import type { PtyClient } from './pty-client.ts'

/** The parts of a terminal that the questions need. */
export interface Asked {
  readonly clients: ReadonlySet<PtyClient>
  /** The offset of the next byte of output: everything before it was reported to `output`. */
  readonly offset: number
  /** Writes an answer to the program. */
  reply(answer: string): void
  state(to: number, then: (state: TerminalState) => void): void
}

interface Question {
  readonly rule: Rule
  readonly sequence: Sequence
  /** The offset after its last byte. */
  readonly end: number
  readonly at: number
  /** The client that is to answer; undefined while nobody is. */
  by: PtyClient | undefined
}

/** A program that asks faster than it is answered gets no more answers: it would get answers to old questions. */
const MAX_OPEN = 256
/** After this time a terminal is taken not to know the question. Answers across the world take half a second. */
const FORGET_MS = 3_000
/** A question of coop itself that every terminal answers (DA1): those before it that are unanswered then stay so. */
const LAST: Rule = {
  ...{ name: '', form: 'CSI c', says: '', attached: 'terminal', asks: () => false },
  reply: /^\x1b\[\?[\d;]*c$/,
}
const TOLD_COLOR = /^\x1b\](1\d|4;\d+);(rgba?:[^\x07\x1b]*)/
const SETS_COLOR = /^(?:4;\d+|1\d);[^?]/

export class Questions {
  readonly #asked: Asked
  readonly #facts: Facts
  readonly #focus: Focus
  readonly #tokenizer: Tokenizer
  /** From offsets of the tokenizer to those of the stream. */
  #shift = 0
  #open: Question[] = []
  #lead: PtyClient | undefined
  #hasNew = false
  #hasOwnColors = false
  #isAnswering = false
  #expected: Timer | undefined
  /** Counts the programs that have ended here. */
  #programs = 0
  /** Set from the end of a program until the client has sent the answers that its terminal owed that program. */
  #owed: { readonly by: PtyClient; readonly timer: Timer; done(): void } | undefined
  #settled: Promise<void> = Promise.resolve()
  readonly #replies = new Replies()

  constructor(asked: Asked, facts: Facts) {
    this.#asked = asked
    this.#facts = facts
    const wantsFocus = (then: (wants: boolean) => void): void =>
      asked.state(asked.offset, (state) => then(state.privateMode(FOCUS) === true))
    // An earlier daemon may have read that the program asks for it.
    const wanted = asked.offset ? undefined : false
    this.#focus = new Focus({ reply: (report) => asked.reply(report), wantsFocus }, wanted)
    this.#tokenizer = new Tokenizer(
      { text: () => {}, control: () => {}, sequence: (sequence) => this.#see(sequence) },
      NO_CONTROLS,
    )
  }

  output(offset: number, bytes: Uint8Array): void {
    // Nearly all output of a flood is text and colours.
    pushBeyondColors(this.#tokenizer, bytes, (at) => {
      this.#shift = offset + at - this.#tokenizer.offset
    })
    if (this.#hasNew) this.#settle()
  }

  #see(sequence: Sequence): void {
    this.#focus.see(sequence)
    if (sequence.kind === 'osc' && SETS_COLOR.test(sequence.text)) this.#hasOwnColors = true
    const rule = ruleOf(sequence)
    if (!rule || rule.attached === 'nobody' || this.#open.length >= MAX_OPEN) return
    this.#hasNew = true
    const end = sequence.end + this.#shift
    this.#open.push({ rule, sequence: copyOf(sequence), end, at: performance.now(), by: this.#lead })
  }

  /** A client has typed: the answers of its terminal are among that. */
  input(bytes: Uint8Array): void {
    if (!this.#open.length) return this.#replies.reset()
    for (const reply of this.#replies.push(bytes)) this.#answered(reply)
  }

  /** Terminals answer in order: one that has answered a question does not know those before it. */
  #answered(reply: string): void {
    const asked = this.#open.filter(({ by }) => by)
    const last = asked[answeredBy(reply, asked)]
    // Colours that the program has set are none of the user's.
    const [, name, color] = (!this.#hasOwnColors && TOLD_COLOR.exec(reply)) || []
    if (last && name && color) this.#facts.learn(name, color)
    // The client's own answer overtakes those of its terminal.
    if (last?.rule.attached === 'coop') this.#open = this.#open.filter((question) => question !== last)
    else if (last) this.#open = this.#open.filter(({ by, end }) => end > last.end || !by)
    if (last?.rule === LAST) this.#noneOwed()
  }

  /** A client is about to come for the first time, or back: its terminal answers what is asked until then. */
  expect(milliseconds: number): void {
    clearTimeout(this.#expected)
    this.#focus.expect()
    this.#expected = setTimeout(() => this.expectNobody(), milliseconds)
  }

  expectNobody(): void {
    clearTimeout(this.#expected)
    this.#expected = undefined
    this.#look()
    this.#settle()
  }

  /** The program has ended: nobody waits for the answers any more, and the next program must not get them. */
  ended(): void {
    this.#focus.reset()
    this.#noneOwed()
    this.#programs++
    const now = performance.now()
    const by = this.#lead
    const owed = this.#open.filter(
      (question) => question.by && question.by === by && question.at > now - FORGET_MS,
    )
    this.#open = []
    if (!by || !owed.length) return
    const { offset } = this.#asked
    this.#open = [...owed, { rule: LAST, sequence: new Sequence(), end: offset + 1, at: now, by }]
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#settled = promise
    this.#owed = { by, timer: setTimeout(() => this.#noneOwed(), FORGET_MS), done: resolve }
    by.answer(offset, PROGRAM_ENDED)
  }

  /** Resolves when no answer for a program that has ended is on its way, or after three seconds. */
  get settled(): Promise<void> {
    return this.#settled
  }

  #noneOwed(): void {
    if (!this.#owed) return
    clearTimeout(this.#owed.timer)
    this.#owed.done()
    this.#owed = undefined
    this.#open = []
  }

  /** Clients have come, gone or changed: chooses the one that answers from now on. */
  choose(): void {
    const { clients, offset } = this.#asked
    if (this.#owed && !clients.has(this.#owed.by)) this.#noneOwed()
    const before = this.#lead
    const stays = before?.mayAnswer && clients.has(before)
    const lead = stays ? before : [...clients].find((client) => client.mayAnswer)
    for (const question of this.#open) {
      const { rule, by, end } = question
      if (rule === LAST) continue
      // A client that stays will still send the answers to those that it has.
      if (by && (!clients.has(by) || (by !== lead && end > by.next))) question.by = undefined
    }
    if (this.#owed) this.#open = this.#open.filter(({ by }) => by)
    if (lead !== before) {
      if (before && clients.has(before)) before.answer(undefined)
      this.#lead = lead
      // While a client is expected, nobody has answered what it still gets as output.
      if (lead) this.#handOver(lead, this.#expected ? Math.min(lead.next, offset) : offset)
    }
    if (lead) this.expectNobody()
    else {
      this.#look()
      this.#settle()
    }
  }

  /** A client that is about to come looks already. */
  #look(): void {
    if (!this.#expected) this.#focus.look([...this.#asked.clients].some(({ looks }) => looks))
  }

  /** From `from` on the client sees the questions itself; the earlier ones are put to its terminal now. */
  #handOver(lead: PtyClient, from: number): void {
    const free = this.#open.filter(({ by }) => !by)
    for (const question of free) question.by = lead
    lead.answer(
      from,
      Buffer.concat(free.filter(({ end }) => end <= from).map(({ sequence }) => sequence.raw)),
    )
  }

  #settle(): void {
    this.#hasNew = false
    const oldest = performance.now() - FORGET_MS
    if (this.#open.some(({ by, at }) => by && at < oldest))
      this.#open = this.#open.filter(({ by, at }) => !by || at >= oldest)
    this.#answerAll()
  }

  /** In order, and each only once. */
  #answerAll(): void {
    while (!this.#isAnswering && !this.#lead && !this.#expected) {
      const index = this.#open.findIndex(({ by }) => !by)
      const [question] = index < 0 ? [] : this.#open.splice(index, 1)
      if (!question) return
      const { rule, sequence, end } = question
      if (!rule.fromState) {
        this.#reply(rule.answer?.(sequence, this.#facts))
        continue
      }
      this.#isAnswering = true
      const program = this.#programs
      this.#asked.state(end, (state) => {
        this.#isAnswering = false
        if (program === this.#programs) this.#reply(rule.fromState?.(sequence, state, this.#facts))
        this.#answerAll()
      })
    }
  }

  #reply(answer: string | undefined): void {
    if (answer !== undefined) this.#asked.reply(answer)
  }
}

/** Control characters are no questions, and the answer to ENQ would be the user's. */
const NO_CONTROLS = String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code), 0x7f)
