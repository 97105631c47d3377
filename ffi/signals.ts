/** Signals of this process (sigaction(2)). */
import { attempt } from './libc.ts'

const SIGACTION = 32 // bytes of the kernel's struct: handler, flags, restorer, mask
const SET = 8 // bytes of a set of signals
const SIG_IGN = 1

/** Whether this process ignores a signal. Ask before a handler is set. */
export function ignoresSignal(signal: number): boolean {
  const action = new Uint8Array(SIGACTION)
  if (attempt('rt_sigaction', signal, 0, action, SET) < 0) return false
  return action[0] === SIG_IGN && action.subarray(1, 8).every((byte) => byte === 0)
}
