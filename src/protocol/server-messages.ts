/**
 * Messages of the daemon to clients. They are apart from messages.ts, so that a short command does not load the shapes
 * of all calls.
 */
import type { ErrorJson } from '../core/errors.ts'
import type { CoopEvent } from './events.ts'

/** Increased with every change that an older side would misunderstand. */
export const PROTOCOL = 4

export type ServerMessage =
  | {
      readonly type: 'hello'
      readonly protocol: number
      readonly version: string
      readonly pid: number
      /** The kernel lets this daemon give boxes less than one that the client starts. */
      readonly outdone?: true
    }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorJson }
  /** The command that runs on a channel, or the terminal shown on it, has ended. */
  | ({ readonly type: 'exit'; readonly channel?: number } & ExitMessage)
  /** The command that runs on a channel was suspended, and waits for the signal to continue (SIGCONT). */
  | { readonly type: 'stopped'; readonly channel?: number }
  | { readonly type: 'notice'; readonly channel?: number; readonly text: string }
  /**
   * The client's terminal answers the program's questions in the output from `from` on; without `from` it answers none
   * any more, and the client removes them. `asked`: earlier questions, as base64, for the terminal to answer now.
   */
  | { readonly type: 'answers'; readonly channel?: number; readonly from?: number; readonly asked?: string }
  /** The daemon ends, to make room for a newer one or because the user wants it to. */
  | { readonly type: 'bye'; readonly why: 'retire' | 'shutdown' }
  /** An event, for clients that watch events or whose user may want to know. */
  | { readonly type: 'event'; readonly event: CoopEvent }

/** How a command or a terminal ended. */
export interface ExitMessage {
  /** The program's exit code; 128+n when signal n ended it. */
  readonly code: number
  readonly error?: ErrorJson
  readonly ended?: Ended
  /** Why a box was stopped. */
  readonly reason?: string
}

/** Why a program lost its terminal: it ended, somebody hung it up, or the box was stopped, for a restore of its files, or ended. */
export type Ended = 'command' | 'hangup' | 'stopped' | 'restored' | 'box'

/** Parses a message of the daemon. The daemon is trusted, so only the message's type is checked. */
export function parseServerMessage(payload: Uint8Array): ServerMessage | undefined {
  try {
    const it = JSON.parse(new TextDecoder().decode(payload)) as { readonly type?: unknown } | null
    const known: readonly unknown[] = [
      'hello',
      'result',
      'error',
      'exit',
      'stopped',
      'notice',
      'answers',
      'bye',
      'event',
    ]
    return known.includes(it?.type) ? (it as ServerMessage) : undefined
  } catch {
    return undefined
  }
}
