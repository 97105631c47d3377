/**
 * Who types at a terminal. The ring's header names the last typist, for the next daemon; here is what this daemon knows of the
 * others: a browser comes back often, and while another types.
 */
import type { Pty } from '../terminal/pty.ts'

/** One connection of a typist at a terminal. */
export interface Typing {
  readonly pty: Pty
  /** How much of its input the terminal has got; kept up to date by the connection, also after its end. */
  taken: number
  /** Ends the connection, because another of the same typist goes on; undefined once it is over. */
  hangUp: (() => void) | undefined
}

const MAX_KNOWN = 1024 // typists of a terminal; those that came first are forgotten

const known = new WeakMap<Pty, Map<number, Typing>>()

/**
 * Begins to type, or goes on: `typed` bytes are known to the client to be taken. What an earlier connection sent and the
 * terminal has not got is forgotten, because the client sends it again; that connection is hung up.
 */
export function beginTyping(pty: Pty, typist: number, typed: number | undefined, hangUp: () => void): Typing {
  const { ring } = pty
  const typists = known.get(pty) ?? new Map<number, Typing>()
  known.set(pty, typists)
  const before = typists.get(typist)
  before?.hangUp?.()
  pty.input.forget(typist)
  // An earlier client had the same number.
  if (typed === undefined && ring.typedBy(typist)) ring.setTyped({ typist, offset: 0 })
  const taken = typed === undefined ? 0 : Math.max(typed, ring.typedBy(typist), before?.taken ?? 0)
  const typing: Typing = { pty, taken, hangUp }
  typists.delete(typist)
  typists.set(typist, typing)
  const [oldest] = typists.keys()
  if (typists.size > MAX_KNOWN && oldest !== undefined) typists.delete(oldest)
  return typing
}
