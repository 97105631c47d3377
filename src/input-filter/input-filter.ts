/**
 * Holds back what ends an agent by mistake when a person types it in a browser: Ctrl+D, Ctrl+\, a second Ctrl+C, the lines
 * `exit`, `/exit`, `quit`, `/quit`, and what the user has named. It guards against slips, not against people: whoever may
 * type at an agent can end it in other ways. Pure except for its state and the clock that it is given.
 *
 * What it cannot know: text that a program brings by itself (history, menus, suggestions that Enter takes) and lines of
 * editors with modes. Where a key may have changed the line, it takes every line for possible that an agent could get.
 */
import { BlockedSequences, joined, type Piece } from './blocked.ts'
import { type Key, KeyReader } from './keys.ts'
import { ENDING_LINES, TypedLine } from './typed-line.ts'

export interface FilterRules {
  /** Milliseconds; 0 lets every Ctrl+C through. */
  readonly debounce: number
  readonly sequences: readonly string[]
}

/** Why input is held back. */
export type Reason =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'repeated'; readonly milliseconds: number }
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'sequence'; readonly sequence: string }

const HELD_KEYS: ReadonlyMap<string, Reason> = new Map([
  ['ctrl-d', { kind: 'key', key: 'Ctrl+D' }],
  ['ctrl-\\', { kind: 'key', key: 'Ctrl+\\' }],
])
const HELD_LINES: ReadonlyMap<string, Reason> = new Map(
  ENDING_LINES.map((line) => [line, { kind: 'line', line }]),
)

/** Without input for so long, what looked like the start of a key was all there is. Terminals send a key in one go. */
export const HOLD_MS = 50

/** What everybody has typed at one terminal: its program has one line, however many windows show it. */
export class TypedBefore {
  readonly line = new TypedLine()
  readonly #now: () => number
  readonly #keys: KeyReader
  /** The time of the last input that was not filtered. */
  #at = Number.NEGATIVE_INFINITY
  #isKnown = false
  /** The time of the last Ctrl+C, also of one that was held back. */
  #interrupted = Number.NEGATIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
    this.#keys = new KeyReader(now)
  }

  /** Hears of input that is not filtered. */
  add(bytes: Uint8Array): void {
    if (this.#isKnown) return
    const now = this.#now()
    const before = now - this.#at >= HOLD_MS ? this.#keys.flush() : []
    this.#at = now
    for (const key of [...before, ...this.#keys.push(bytes)]) {
      this.line.add(key)
      if (key.means === 'ctrl-c' && !key.isRelease) this.interrupt()
    }
  }

  /** Another program reads from now on. */
  reset(): void {
    this.line.reset()
    this.#interrupted = Number.NEGATIVE_INFINITY
  }

  /** Calls a function that writes input which a filter has let through, and so has noted. */
  without<T>(write: () => T): T {
    this.#isKnown = true
    try {
      return write()
    } finally {
      this.#isKnown = false
    }
  }

  /** Returns how long ago Ctrl+C was pressed last, and takes note of this time. */
  interrupt(): number {
    const now = this.#now()
    const since = now - this.#interrupted
    this.#interrupted = now
    return since
  }
}

export class InputFilter {
  readonly #debounce: number
  readonly #repeated: Reason
  readonly #typed: TypedBefore
  readonly #keys: KeyReader
  readonly #blocked: BlockedSequences<Reason>

  /** `now` returns milliseconds. */
  constructor({ debounce, sequences }: FilterRules, typed: TypedBefore, now: () => number) {
    this.#debounce = debounce
    this.#repeated = { kind: 'repeated', milliseconds: debounce }
    this.#typed = typed
    this.#keys = new KeyReader(now)
    const reasons = new Map(sequences.map((sequence) => [sequence, { kind: 'sequence', sequence } as const]))
    this.#blocked = new BlockedSequences<Reason>(
      sequences.map((sequence) => Buffer.from(sequence)),
      (sequence) => {
        const text = sequence.toString()
        return reasons.get(text) ?? { kind: 'sequence', sequence: text }
      },
    )
  }

  /** Whether bytes wait: call `flush` after a moment without input. */
  get holding(): boolean {
    return this.#keys.holding || this.#blocked.holding
  }

  /** Returns what is decided, in the order of the input, of which every byte comes exactly once. */
  push(bytes: Uint8Array): readonly Piece<Reason>[] {
    return this.#decide(this.#keys.push(bytes))
  }

  /** Gives up waiting: what looked like the start of something was all there is. */
  flush(): readonly Piece<Reason>[] {
    return joined([...this.#decide(this.#keys.flush()), ...this.#blocked.flush()])
  }

  #decide(keys: readonly Key[]): readonly Piece<Reason>[] {
    return joined(
      keys.flatMap((key) => {
        const held = this.#reasonFor(key)
        if (held === undefined) this.#typed.line.add(key)
        return this.#blocked.push({ bytes: key.bytes, ...(held ? { held } : {}) })
      }),
    )
  }

  #reasonFor({ means, isRelease }: Key): Reason | undefined {
    const held = HELD_KEYS.get(means)
    if (held) return held
    if (means === 'ctrl-c' && !isRelease) {
      const since = this.#typed.interrupt()
      return since < this.#debounce ? this.#repeated : undefined
    }
    return means === 'enter' ? HELD_LINES.get(this.#typed.line.ending ?? '') : undefined
  }
}
