/** Who looks at a terminal of a box, and what they are told. */
import type { Viewer } from './window.ts'

/** Somebody who watches a PTY. Must not block: it queues or drops by itself. */
export interface PtyClient extends Viewer {
  /**
   * `offset` is where in the stream `bytes` begin; they are only good during the call. `byClient`: the client that
   * types has read them itself.
   */
  output(offset: number, bytes: Uint8Array, byClient: boolean): void
  /** Whether its user types into the terminal without the daemon, and it may show what that answers by itself. */
  readonly isDirect: boolean
  /** How far it has got; undefined when nobody is to wait for it. */
  readonly position: number | undefined
  /** It kept everybody waiting for too long: it is not waited for from now on. */
  excuse(): void
  /** The terminal has another size now. */
  resized(): void
}

/** Hears what happens on a terminal, whoever is attached. Bytes are only good during the call. */
export interface PtyListener {
  output?(bytes: Uint8Array): void
  /** What clients type. */
  input?(bytes: Uint8Array): void
  /** Its size changes. Told before the program is. */
  resize?(): void
}

/** How a terminal went away. */
export interface PtyEnd {
  readonly ended: 'command' | 'hangup' | 'stopped' | 'box'
  /** The exit code of its program. */
  readonly code: number
  readonly reason?: string
}
