/** The form of a rule about one question that programs ask their terminal. */
import type { WindowSize } from '../core/window-size.ts'
import type { Sequence } from '../vt/sequence.ts'

/** The terminal as the program has set it, from the emulator (src/screen/state.ts). */
export interface TerminalState {
  readonly size: WindowSize
  /** Column and row of the cursor as CPR counts them: from 1, and in origin mode from the top margin. */
  readonly cursor: { readonly column: number; readonly row: number }
  /** Whether a private mode (DECSET) or an ANSI mode (SM) is set; undefined for modes that the emulator lacks. */
  privateMode(mode: number): boolean | undefined
  ansiMode(mode: number): boolean | undefined
  /** Flags of kitty's keyboard protocol that are in force. */
  readonly keyboard: number
  /** The value of modifyOtherKeys. */
  readonly modifyOtherKeys: number
  /** The parameter of DECSCUSR; 0 is the terminal's usual cursor. */
  readonly cursorStyle: number
  /** The parameters of the SGR that selects the pen, without the final `m`. */
  readonly pen: string
  readonly isProtecting: boolean
  /** First and last row of the scrolling region, from 1. */
  readonly margins: readonly [top: number, bottom: number]
  /** A colour that the program has set: `4;7`, or `11` for the background; otherwise undefined. */
  color(name: string): string | undefined
}

/** The facts about the user's terminals that stay when nobody is attached. */
export interface Facts {
  /** The newest colours that a terminal of the user has told, by the names that `TerminalState.color` uses. */
  readonly colors: ReadonlyMap<string, string>
  /** A terminal of the user has told this colour. */
  learn(name: string, color: string): void
}

/** For terminals whose users are not known. */
export const NO_FACTS: Facts = { colors: new Map(), learn: () => {} }

/**
 * Who answers while a client is attached. `terminal`: the terminal of the answering client. `coop`: that client itself,
 * because coop and not the terminal is the one that is asked. `nobody`: the question never gets to a terminal, because
 * its answer could tell the program about the host or type text that the program chose.
 */
export type Answerer = 'terminal' | 'coop' | 'nobody'

export interface Rule {
  /** For the table in the docs: the question's name, its form, and the words for the daemon's own answer. */
  readonly name: string
  readonly form: string
  readonly says: string
  readonly attached: Answerer
  /** Whether this rule is about that sequence. */
  asks(sequence: Sequence): boolean
  /**
   * The form of an answer, to see that a terminal has given it: a complete sequence, one character per byte. Absent for
   * questions that nobody answers.
   */
  readonly reply?: RegExp
  /** The answer of coop, from facts alone. A rule has this, or `fromState`, or neither: then nobody answers. */
  answer?(sequence: Sequence, facts: Facts): string | undefined
  /** The daemon's answer, from the emulator's state when it has seen everything up to the question. */
  fromState?(sequence: Sequence, state: TerminalState, facts: Facts): string | undefined
}
