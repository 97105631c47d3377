/** The interfaces of a terminal's viewers and listeners. */
import type { Viewer } from './window.ts'

/** A viewer of a PTY. It must not block: it queues or drops output itself. */
export interface PtyClient extends Viewer {
  /**
   * `offset` is the stream offset of `bytes`, which are valid only during the call. `byClient`: the typing client has
   * read them itself.
   */
  output(offset: number, bytes: Uint8Array, byClient: boolean): void
  /** Whether its user types without the daemon, so that the client may read and show answers itself. */
  readonly isDirect: boolean
  /** The offset that it has reached; undefined if nobody has to wait for it. */
  readonly position: number | undefined
  /** The offset up to which it has been sent the output. */
  readonly next: number
  /** Whether a person sees the terminal there, as far as that is known. */
  readonly looks: boolean
  /** Whether it can answer the program's questions: its terminal gets all output, and its input is taken. */
  readonly mayAnswer: boolean
  /**
   * Its terminal answers the questions of the output from `from` on, and now those in `asked`, which it did not see.
   * Undefined: it answers no more, from the next output on.
   */
  answer(from: number | undefined, asked?: Uint8Array): void
  /** It delayed everybody for too long: nobody waits for it from now on. */
  excuse(): void
  /** The terminal has a new size. */
  resized(): void
}

/** Receives a terminal's events, whoever is attached. Bytes are valid only during the call. */
export interface PtyListener {
  output?(bytes: Uint8Array): void
  /** Input of clients. */
  input?(bytes: Uint8Array): void
  /** Input that waits is dropped: another program reads from now on. */
  dropped?(): void
  /** Its size changes. Called before the program learns of it. */
  resize?(): void
  /** Its program has ended, and nothing new is to be seen for now. The terminal stays. */
  leave?(end: PtyEnd): void
}

/** The end of a terminal. */
export interface PtyEnd {
  readonly ended: 'command' | 'hangup' | 'stopped' | 'restored' | 'box'
  /** The exit code of its program. */
  readonly code: number
  readonly reason?: string
}
