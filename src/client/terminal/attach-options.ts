import type { ErrorJson } from '../../core/errors.ts'
import type { Ended } from '../../protocol/server-messages.ts'

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
