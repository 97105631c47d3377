/**
 * What the daemon tells clients. Apart from what clients ask (messages.ts), since a short command has to load all that it
 * names.
 */
import type { ErrorJson } from '../core/errors.ts'
import type { Size } from './fields.ts'

/** Raised with every change that an older side would misunderstand. */
export const PROTOCOL = 3

export type ServerMessage =
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string; readonly pid: number }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorJson }
  /** The command of this connection has ended, or the terminal that it shows. */
  | {
      readonly type: 'exit'
      /** That of the program; 128+n when the signal n ended it. */
      readonly code: number
      readonly error?: ErrorJson
      readonly ended?: Ended
      /** Why a box was stopped. */
      readonly reason?: string
    }
  | { readonly type: 'notice'; readonly text: string }
  /** The daemon ends: to make room for a newer one, or because the user wants it to. */
  | { readonly type: 'bye'; readonly why: 'retire' | 'shutdown' }
  /** Something about another box that its user may want to know. */
  | { readonly type: 'event'; readonly event: BoxEvent }

/** What took a program its terminal away: its own end, somebody who hung it up, or the box's being stopped or ended. */
export type Ended = 'command' | 'hangup' | 'stopped' | 'box'

/** An agent waits for its user, or does not any more. */
export interface BoxEvent {
  readonly box: string
  readonly waiting: boolean
  /** What it said, if it said something. */
  readonly text?: string
}

export interface ClientInfo {
  readonly pid: number
  readonly terminal?: string
  readonly readonly: boolean
  readonly size?: Size
  /** Milliseconds since 1970. */
  readonly since: number
}

export interface PtyInfo {
  readonly id: number
  readonly command: readonly string[]
  readonly state: string
  readonly exitCode?: number
  readonly clients: readonly ClientInfo[]
  readonly size: Size
}

export interface BoxInfo {
  readonly name: string
  readonly workspace: string
  readonly image: string
  readonly network: string
  /** The image was built again since. */
  readonly olderBuild?: true
  readonly agent: string
  readonly state: string
  /** Why it is stopped, or unknown. */
  readonly reason?: string
  /** Of an unknown one: the newer coop that made it. */
  readonly release?: string
  /** Since when its agent waits for its user (milliseconds since 1970), and what it said. */
  readonly waiting?: { readonly since: number; readonly text?: string }
  readonly created: number
  readonly ptys: readonly PtyInfo[]
  readonly clients: number
  readonly detachKey: string
  /** Resident bytes of the box's processes; undefined where it cannot be told. */
  readonly memory?: number
}

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
