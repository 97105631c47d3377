/** A way between the daemon and one client. What is said on it is the session's matter (client.ts). */

export interface Transport {
  /** The process at the other end, where the kernel knows one. */
  readonly peer: number | undefined
  /** Whether descriptors can be handed over beside messages. */
  readonly passesDescriptors: boolean
  /** Bytes that wait to be sent. */
  readonly queued: number
  /** Send these parts one after the other. They are only good during the call. */
  send(...parts: readonly Uint8Array[]): void
  /** Hang up; the user is told that it is gone. */
  close(): void
}

/** Whoever speaks on a transport. */
export interface TransportUser {
  /** Bytes came; they are only good during the call. */
  data(bytes: Uint8Array): void
  /** Everything that was queued has been sent. */
  drained(): void
  /** The way is closed, by whomever. Told once. */
  gone(): void
}
