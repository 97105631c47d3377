/**
 * What the daemon tells clients. Apart from what clients ask (messages.ts), since a short command has to load all that it
 * names.
 */
import type { ErrorJson } from '../core/errors.ts'
import type { CoopEvent } from './events.ts'

/** Raised with every change that an older side would misunderstand. */
export const PROTOCOL = 4

export type ServerMessage =
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string; readonly pid: number }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorJson }
  /** The command of a channel has ended, or the terminal that it shows. */
  | ({ readonly type: 'exit'; readonly channel?: number } & ExitMessage)
  | { readonly type: 'notice'; readonly channel?: number; readonly text: string }
  /** The daemon ends: to make room for a newer one, or because the user wants it to. */
  | { readonly type: 'bye'; readonly why: 'retire' | 'shutdown' }
  /** Something that happened, for clients that watch events or whose user may want to know. */
  | { readonly type: 'event'; readonly event: CoopEvent }

/** How a command or a terminal ended. */
export interface ExitMessage {
  /** That of the program; 128+n when the signal n ended it. */
  readonly code: number
  readonly error?: ErrorJson
  readonly ended?: Ended
  /** Why a box was stopped. */
  readonly reason?: string
}

/** What took a program its terminal away: its own end, somebody who hung it up, or the box's being stopped or ended. */
export type Ended = 'command' | 'hangup' | 'stopped' | 'box'

/** A message of the daemon; the daemon is ours, so only the shape that decides is looked at. */
export function parseServerMessage(payload: Uint8Array): ServerMessage | undefined {
  try {
    const it = JSON.parse(new TextDecoder().decode(payload)) as { readonly type?: unknown } | null
    const known: readonly unknown[] = ['hello', 'result', 'error', 'exit', 'notice', 'bye', 'event']
    return known.includes(it?.type) ? (it as ServerMessage) : undefined
  } catch {
    return undefined
  }
}
