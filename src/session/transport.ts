/** A byte stream between the daemon and one client. The session (client.ts) decides what is sent on it. */

export interface Transport {
  /** The process at the other end, where the kernel knows one. */
  readonly peer: number | undefined
  /** The kind of the other end: a program of this machine's user, or a browser. */
  readonly origin: 'local' | 'web'
  /** The id of the signed-in browser, of a page. */
  readonly browser?: string
  /** Whether descriptors can be handed over beside messages. */
  readonly passesDescriptors: boolean
  /** Bytes that wait to be sent. */
  readonly queued: number
  /** Sends these parts one after the other. They are valid only during the call. */
  send(...parts: readonly Uint8Array[]): void
  /** Reads no more until told otherwise, so that the other end has to wait; not every transport can. */
  pause?(isPaused: boolean): void
  /** Hangs up; the user's `gone` is called. */
  close(): void
}

/** The session that uses a transport. */
export interface TransportUser {
  /** Called with bytes that arrived; they are valid only during the call. */
  data(bytes: Uint8Array): void
  /** Called when everything that was queued has been sent. */
  drained(): void
  /** Called once, when either side has closed the connection. */
  gone(): void
}
