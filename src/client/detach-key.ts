/**
 * Finds the detach key in what is typed, also when a read splits it and under the encodings that programs can
 * switch a terminal to. Pasted text that contains it is text. Pure but for its state.
 */

const ESC = 0x1b

/** `ctrl-]` and its like as the bytes that terminals send: plain, kitty's CSI u, xterm's modifyOtherKeys. */
export function keySequences(key: string): Buffer[] {
  const letter = /^ctrl-(.)$/.exec(key)?.[1] ?? ']'
  const code = letter.toUpperCase().charCodeAt(0)
  const plain = letter.toLowerCase().charCodeAt(0)
  return [
    Buffer.from([code & 0x1f]),
    Buffer.from(`\x1b[${plain};5u`),
    Buffer.from(`\x1b[${plain};5:1u`),
    Buffer.from(`\x1b[27;5;${plain}~`),
  ]
}

const PASTE_START = Buffer.from('\x1b[200~')
const PASTE_END = Buffer.from('\x1b[201~')

export interface Typed {
  /** What the program is to get. */
  readonly forward: Buffer
  readonly detach: boolean
}

export class DetachKey {
  readonly #sequences: readonly Buffer[]
  #held: Buffer = Buffer.alloc(0)
  #pasting = false

  constructor(key: string) {
    this.#sequences = keySequences(key)
  }

  /** Whether bytes are held back because they may be the start of the key. */
  get holding(): boolean {
    return this.#held.length > 0
  }

  /** Give up waiting for the rest of a sequence: a lone Escape was meant. */
  flush(): Buffer {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return held
  }

  push(bytes: Uint8Array): Typed {
    const input = Buffer.concat([this.#held, bytes])
    this.#held = Buffer.alloc(0)
    const wanted = [...this.#sequences, PASTE_START]
    for (let at = 0; at < input.length; at++) {
      if (this.#pasting) {
        const end = input.indexOf(PASTE_END, at)
        if (end < 0) {
          // The end mark may be split; what comes before it is passed on at once.
          const keep = tailThatStarts(input.subarray(at), PASTE_END)
          this.#held = input.subarray(input.length - keep)
          return { forward: input.subarray(0, input.length - keep), detach: false }
        }
        this.#pasting = false
        at = end + PASTE_END.length - 1
        continue
      }
      const rest = input.subarray(at)
      if (rest[0] !== ESC && !this.#sequences.some((sequence) => sequence[0] === rest[0])) continue
      if (startsWith(rest, PASTE_START)) {
        this.#pasting = true
        at += PASTE_START.length - 1
        continue
      }
      if (this.#sequences.some((sequence) => startsWith(rest, sequence)))
        return { forward: input.subarray(0, at), detach: true }
      if (wanted.some((sequence) => rest.length < sequence.length && startsWith(sequence, rest))) {
        this.#held = rest
        return { forward: input.subarray(0, at), detach: false }
      }
    }
    return { forward: input, detach: false }
  }
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.subarray(0, start.length).equals(start)
}

/** Length of the longest end of `bytes` with which `mark` starts. */
function tailThatStarts(bytes: Buffer, mark: Buffer): number {
  for (let length = Math.min(bytes.length, mark.length - 1); length > 0; length--) {
    if (startsWith(mark, bytes.subarray(bytes.length - length))) return length
  }
  return 0
}
