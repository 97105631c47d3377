/** What tests of the filter share: a clock, and what a filter made of its input. */
import type { Piece } from './blocked.ts'
import { type FilterRules, InputFilter, type Reason, TypedBefore } from './input-filter.ts'

export const USUAL: FilterRules = { debounce: 500, sequences: [] }

/** A filter with a clock that stands still, whose output is kept. */
export class Desk {
  time = 1_000_000
  readonly now = (): number => this.time
  readonly typed = new TypedBefore(this.now)
  readonly filter: InputFilter
  readonly pieces: Piece<Reason>[] = []

  constructor(rules: Partial<FilterRules> = {}, typed?: TypedBefore) {
    if (typed) this.typed = typed
    this.filter = new InputFilter({ ...USUAL, ...rules }, this.typed, this.now)
  }

  type(...chunks: readonly (string | Uint8Array)[]): this {
    for (const chunk of chunks) this.pieces.push(...this.filter.push(Buffer.from(chunk)))
    return this
  }

  /** Lets time pass, without input. */
  wait(milliseconds: number): this {
    this.time += milliseconds
    this.pieces.push(...this.filter.flush())
    return this
  }

  /** What the program has got. */
  get passed(): string {
    return bytesOf(this.pieces.filter(({ held }) => !held)).toString()
  }

  get held(): string {
    return bytesOf(this.pieces.filter(({ held }) => held)).toString()
  }

  /** Everything that was decided, in its order. */
  get all(): string {
    return bytesOf(this.pieces).toString()
  }

  get reasons(): readonly Reason[] {
    return this.pieces.flatMap(({ held }) => held ?? [])
  }
}

const bytesOf = (pieces: readonly Piece<Reason>[]): Buffer => Buffer.concat(pieces.map(({ bytes }) => bytes))
