import type { ErrorJson } from '../../core/errors.ts'
import type { Ended } from '../../protocol/server-messages.ts'
import type { Session } from '../session.ts'

export type AttachEnd =
  | { readonly how: 'detached' }
  | {
      readonly how: 'exit'
      readonly code: number
      readonly error?: ErrorJson
      readonly ended: Ended
      readonly reason?: string
    }

  /** The user has ended the daemon; the box keeps running. */
  | { readonly how: 'stopped' }

export interface AttachOptions {
  /** Undefined when no key detaches (`coop run`, whose program ends with the command). */
  readonly detachKey: string | undefined
  readonly readonly: boolean
  /** The name of what is shown, for `readonly`. */
  readonly name?: string
  /** Called with the daemon's notices, once the terminal is restored. */
  onNotices?(texts: readonly string[]): void
}

/** The progress of a client that comes back. */
export interface Progress {
  /** The offset of the next byte of output, if any has come. */
  readonly from?: number
  /** How many bytes of its input are known to have reached the terminal. */
  readonly typed: number
}

/**
 * Asks the daemon for the terminal, at first and after each loss of the daemon. `taken` is the number of input bytes
 * that the terminal has.
 */
export type Begin = (session: Session, progress: Progress | undefined) => Promise<Begun>

export interface Begun {
  readonly taken?: number
  /** The agent's last report, which may be in none of the output to come. */
  readonly report?: string | undefined
}
