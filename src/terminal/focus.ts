/**
 * Tells a program that asked for it (mode 1004) whether anybody looks at its terminal. Terminals of users report their
 * own focus; coop reports that nobody is there any more, or that somebody has come. Without that, Codex rings for
 * nobody, and an agent that was left believes for ever that it is looked at.
 */
import { key, type Sequence } from '../vt/sequence.ts'

export const FOCUS = 1004 // the private mode
const [SET, RESET] = [key('?h'), key('?l')]
const RIS = 0x63 // ESC c

const GAINED = '\x1b[I'
const LOST = '\x1b[O'

/** The parts of a terminal that this needs. */
export interface Looked {
  /** Writes to the program. */
  reply(report: string): void
  /** Calls back with the mode as the emulator knows it; only asked when this daemon has not seen it. */
  wantsFocus(then: (wants: boolean) => void): void
}

export class Focus {
  readonly #terminal: Looked
  #isLookedAt = false
  /** Undefined: set or not by output that an earlier daemon has read. */
  #wanted: boolean | undefined

  constructor(terminal: Looked, wanted: boolean | undefined) {
    this.#terminal = terminal
    this.#wanted = wanted
  }

  /** A client is about to come, or to come back: the program is to notice nothing of the time until then. */
  expect(): void {
    this.#isLookedAt = true
  }

  /** Sees the program's sequences. A program that asks while nobody looks learns it at once, as in tmux. */
  see(sequence: Sequence): void {
    if (sequence.malformed) return
    const { kind, key: id } = sequence
    if (kind === 'esc' && id === RIS) this.#wanted = false
    if (kind !== 'csi' || (id !== SET && id !== RESET) || !sequence.numbers.includes(FOCUS)) return
    this.#wanted = id === SET
    if (this.#wanted && !this.#isLookedAt) this.#terminal.reply(LOST)
  }

  /** Clients have come, gone, or hidden their windows. */
  look(isLookedAt: boolean): void {
    if (isLookedAt === this.#isLookedAt) return
    this.#isLookedAt = isLookedAt
    if (this.#wanted === undefined)
      this.#terminal.wantsFocus((wants) => {
        this.#wanted ??= wants
        this.#report(isLookedAt)
      })
    else this.#report(isLookedAt)
  }

  /** The program has ended: the next one has not asked. */
  reset(): void {
    this.#wanted = false
  }

  #report(isLookedAt: boolean): void {
    if (this.#wanted && isLookedAt === this.#isLookedAt) this.#terminal.reply(isLookedAt ? GAINED : LOST)
  }
}
