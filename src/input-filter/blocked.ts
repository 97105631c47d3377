/**
 * Holds back byte sequences, wherever a read splits them: the program never gets one of them as a whole. Pure except for
 * its state.
 */

/** A piece of input, in order: for the program, or held back for a reason. */
export interface Piece<R> {
  readonly bytes: Buffer
  readonly held?: R
}

export class BlockedSequences<R> {
  readonly #sequences: readonly Buffer[]
  readonly #reason: (sequence: Buffer) => R
  readonly #longest: number
  /** Bytes with which a sequence begins. */
  readonly #first = new Set<number>()
  /** The end of what the program has got; a sequence may have begun there, after a time without input. */
  #before: Buffer = Buffer.alloc(0)
  /** Whether the next byte may complete a sequence, or go on with one. */
  #isBegun = false
  /** Bytes that are not decided, because a sequence may begin among them, and what is held back behind those. */
  #open: Piece<R>[] = []

  /** `reason` says why a sequence is held back. */
  constructor(sequences: readonly Uint8Array[], reason: (sequence: Buffer) => R) {
    this.#sequences = sequences.map((sequence) => Buffer.from(sequence))
    this.#reason = reason
    this.#longest = Math.max(0, ...this.#sequences.map(({ length }) => length))
    for (const [first] of this.#sequences) if (first !== undefined) this.#first.add(first)
  }

  get holding(): boolean {
    return this.#open.length > 0
  }

  push(piece: Piece<R>): readonly Piece<R>[] {
    if (!this.#longest) return [piece]
    const { bytes, held } = piece
    if (held !== undefined) {
      this.#open.push(piece)
      return this.#decide()
    }
    const decided: Piece<R>[] = []
    for (let at = 0; at < bytes.length; ) {
      const plain = this.#isBegun ? at : this.#plainUntil(bytes, at)
      if (plain > at) decided.push(this.#plain({ bytes: bytes.subarray(at, plain) }))
      else decided.push(...this.#add(bytes.subarray(at, at + 1)))
      at = Math.max(plain, at + 1)
    }
    return joined(decided)
  }

  /** Gives up waiting for the rest of a sequence. */
  flush(): readonly Piece<R>[] {
    return joined(this.#pass(this.#open.splice(0)))
  }

  /** Passes on bytes none of which begins a sequence. */
  #plain(piece: Piece<R>): Piece<R> {
    this.#before = Buffer.from(piece.bytes.subarray(-this.#longest))
    return piece
  }

  #plainUntil(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && !this.#first.has(bytes[at] ?? 0)) at++
    return at
  }

  #add(byte: Buffer): readonly Piece<R>[] {
    this.#open.push({ bytes: byte })
    const seen = this.#seen()
    const found = this.#sequences.filter((sequence) => endsWith(seen, sequence))
    const longest = found.reduce((a, b) => (b.length > a.length ? b : a), Buffer.alloc(0))
    for (let at = this.#open.length - 1, left = longest.length; at >= 0 && left > 0; at--) {
      const piece = this.#open[at]
      if (!piece || piece.held !== undefined) continue
      this.#open[at] = { bytes: piece.bytes, held: this.#reason(longest) }
      left--
    }
    return this.#decide()
  }

  /** What the program has got, and would get. */
  #seen(): Buffer {
    return Buffer.concat([this.#before, ...freeOf(this.#open)])
  }

  /** Passes on all before the first byte with which a sequence may begin. */
  #decide(): readonly Piece<R>[] {
    const beginning = this.#beginning(this.#seen())
    let place = this.#before.length
    let count = 0
    for (const { held } of this.#open) {
      if (held === undefined && place >= beginning) break
      if (held === undefined) place++
      count++
    }
    return this.#pass(this.#open.splice(0, count))
  }

  /** Where the longest end of `bytes` begins that is the start of a sequence. */
  #beginning(bytes: Buffer): number {
    const isStart = (end: Buffer): boolean =>
      this.#sequences.some(
        (sequence) => end.length < sequence.length && sequence.subarray(0, end.length).equals(end),
      )
    let at = Math.max(0, bytes.length - this.#longest + 1)
    while (at < bytes.length && !isStart(bytes.subarray(at))) at++
    return at
  }

  #pass(pieces: readonly Piece<R>[]): readonly Piece<R>[] {
    const got = Buffer.concat([this.#before, ...freeOf(pieces)])
    this.#before = Buffer.from(got.subarray(-this.#longest))
    this.#isBegun = this.#open.length > 0 || this.#beginning(this.#before) < this.#before.length
    return pieces
  }
}

const freeOf = (pieces: readonly Piece<unknown>[]): Buffer[] =>
  pieces.filter(({ held }) => held === undefined).map(({ bytes }) => bytes)

const endsWith = (bytes: Buffer, end: Buffer): boolean =>
  bytes.length >= end.length && bytes.subarray(bytes.length - end.length).equals(end)

/** Joins neighbours with the same fate. */
export function joined<R>(pieces: readonly Piece<R>[]): readonly Piece<R>[] {
  if (pieces.length < 2) return pieces
  const groups: { bytes: Buffer[]; held: R | undefined }[] = []
  for (const { bytes, held } of pieces) {
    const last = groups.at(-1)
    if (last && last.held === held) last.bytes.push(bytes)
    else groups.push({ bytes: [bytes], held })
  }
  return groups.map(({ bytes, held }) => ({
    bytes: Buffer.concat(bytes),
    ...(held === undefined ? {} : { held }),
  }))
}
