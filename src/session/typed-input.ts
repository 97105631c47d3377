/** The input of one channel on its way to a terminal: counted, so that it arrives once, and filtered for a browser at an agent. */
import type { Piece } from '../input-filter/blocked.ts'
import {
  type FilterRules,
  HOLD_MS,
  InputFilter,
  type Reason,
  TypedBefore,
} from '../input-filter/input-filter.ts'
import { noticeOf } from '../input-filter/notices.ts'
import type { Pty } from '../terminal/pty.ts'
import { beginTyping, type Typing } from './typists.ts'

/** The parts of a channel that its input needs. */
export interface Typist {
  /** The number by which the terminal's ring knows it. */
  readonly typist: number
  notice(text: string): void
  /** More of the input was taken. */
  tookInput(): void
  /** Another connection of the same client goes on. */
  hangUp(): void
}

/** What the client may not type, as the settings are now. */
export type Rules = () => FilterRules

const NOTICE_MS = 1_000 // between two notices that say the same: a key that is held down repeats 30 times a second

const now = (): number => performance.now()

/** What was typed at a terminal, by everybody. */
const typedAt = new WeakMap<Pty, TypedBefore>()

export class TypedInput {
  readonly #typist: Typist
  /** Bytes that are decided: on their way to the terminal, or held back. */
  #decided = 0
  #typing: Typing | undefined
  #rules: Rules | undefined
  /** The rules of the filter. */
  #current: FilterRules | undefined
  #filter: InputFilter | undefined
  #before: TypedBefore | undefined
  #waiting: Timer | undefined
  /** Notices, and when the client was told. */
  readonly #notices = new Map<string, number>()

  constructor(typist: Typist) {
    this.#typist = typist
  }

  /** Bytes that have reached the terminal, or were held back. */
  get taken(): number {
    return this.#typing?.taken ?? 0
  }

  /** Begins, or continues where an earlier connection stopped. Returns how many bytes are taken. */
  begin(pty: Pty, typed: number | undefined, rules?: Rules): number {
    this.end()
    this.#typing = beginTyping(pty, this.#typist.typist, typed, () => this.#typist.hangUp())
    this.#decided = this.#typing.taken
    this.#before = rules && beforeAt(pty)
    this.#rules = rules
    return this.#decided
  }

  push(pty: Pty, bytes: Uint8Array): void {
    if (this.#typing?.pty !== pty) this.begin(pty, undefined) // a command that has just started
    this.#follow()
    if (!this.#filter) return void this.#write(pty, bytes)
    clearTimeout(this.#waiting)
    this.#pass(pty, this.#filter.push(bytes))
    if (this.#filter.holding) this.#waiting = setTimeout(() => this.#giveUp(pty), HOLD_MS)
  }

  /** Takes the rules that hold now: a restart of the agent reads the settings again. */
  #follow(): void {
    const rules = this.#rules?.()
    const isSame =
      rules?.debounce === this.#current?.debounce && rules?.sequences === this.#current?.sequences
    if (isSame || this.#filter?.holding) return
    this.#current = rules
    this.#filter = rules && this.#before && new InputFilter(rules, this.#before, now)
  }

  /** What is not decided by now comes again with the next connection. */
  end(): void {
    clearTimeout(this.#waiting)
    if (this.#typing) this.#typing.hangUp = undefined
    this.#typing = undefined
    this.#filter = undefined
    this.#rules = undefined
    this.#current = undefined
  }

  #giveUp(pty: Pty): void {
    if (this.#filter) this.#pass(pty, this.#filter.flush())
  }

  #pass(pty: Pty, pieces: readonly Piece<Reason>[]): void {
    for (const { bytes, held } of pieces) {
      if (held) this.#say(held)
      if (held || !this.#write(pty, bytes)) this.#skip(pty, bytes.length)
    }
  }

  /** Returns false if the program has not read for too long. */
  #write(pty: Pty, bytes: Uint8Array): boolean {
    const from = { typist: this.#typist.typist, offset: this.#decided }
    const write = (): boolean => pty.write(bytes, from, this.#told())
    const isAccepted = this.#before ? this.#before.without(write) : write()
    if (isAccepted) this.#decided += bytes.length
    return isAccepted
  }

  /** The program does not get these bytes, and the client need not send them again. */
  #skip(pty: Pty, length: number): void {
    this.#decided += length
    if (pty.closed) return
    pty.input.skip(pty.ring, { typist: this.#typist.typist, offset: this.#decided }, this.#told())
  }

  /** Returns what takes note of taken input, even after the end of this connection. */
  #told(): (offset: number) => void {
    const typing = this.#typing
    return (offset) => {
      if (!typing) return
      typing.taken = offset
      if (this.#typing === typing) this.#typist.tookInput()
    }
  }

  #say(reason: Reason): void {
    const text = noticeOf(reason)
    const at = now()
    if (at - (this.#notices.get(text) ?? Number.NEGATIVE_INFINITY) < NOTICE_MS) return
    this.#notices.set(text, at)
    this.#typist.notice(text)
  }
}

function beforeAt(pty: Pty): TypedBefore {
  const known = typedAt.get(pty)
  if (known) return known
  const before = new TypedBefore(now)
  typedAt.set(pty, before)
  pty.listen({ input: (bytes) => before.add(bytes), dropped: () => before.reset() })
  return before
}
