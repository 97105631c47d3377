/** The user's terminal while a PTY of a box is shown on it: raw while it lasts, as it was found afterwards. */

import { write } from '../../ffi/pipes.ts'
import { getModes, rawModes, setModes, windowSize } from '../../ffi/terminal.ts'
import { DetachKey } from './detach-key.ts'
import { ScreenModes } from './screen-modes.ts'
import type { Session } from './session.ts'

const EOT = 4
const ESCAPE_WAIT_MS = 30 // longer than the gap inside a key's sequence, shorter than a person notices

export type AttachEnd =
  | { readonly how: 'detached' }
  | {
      readonly how: 'exit'
      readonly code: number
      readonly message?: string
      readonly ended: 'box' | 'command'
    }
  | { readonly how: 'lost' }

export interface AttachOptions {
  /** Undefined: no key detaches (`coop run`, where the program ends with the command). */
  readonly detachKey: string | undefined
  readonly readonly: boolean
}

/** The size of the terminal that this process shows things on. */
export function terminalSize(): { columns: number; rows: number } {
  return windowSize(1) ?? windowSize(0) ?? { columns: 80, rows: 24 }
}

/** Take the terminal over now, so that nothing typed from here on is echoed. Returns what gives it back. */
export function enterRaw(): () => void {
  const modes = getModes(0)
  if (!modes) return () => {}
  setModes(0, rawModes(modes))
  let restored = false
  const restore = (): void => {
    if (restored) return
    restored = true
    setModes(0, modes)
  }
  process.on('exit', restore)
  return restore
}

function writeAll(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const n = write(1, bytes.subarray(at))
    if (n === -4 || n === -11) continue // EINTR; EAGAIN of a terminal that somebody made non-blocking
    if (n < 0) return false
    at += n
  }
  return true
}

/**
 * Show a PTY until it ends, is detached from, or the daemon is lost. `begin` asks the daemon for it: output may
 * come before the answer does.
 */
export async function showTerminal(
  session: Session,
  options: AttachOptions,
  begin: () => Promise<unknown>,
): Promise<AttachEnd> {
  const modes = new ScreenModes()
  const restore = enterRaw()
  const { promise, resolve, reject } = Promise.withResolvers<AttachEnd>()
  const key = options.detachKey === undefined ? undefined : new DetachKey(options.detachKey)
  let timer: Timer | undefined
  session.onOutput = (_, bytes) => {
    modes.watch(bytes)
    if (!writeAll(bytes)) resolve({ how: 'detached' }) // the terminal is gone
  }
  session.onLost = (error) => (error ? reject(error) : resolve({ how: 'lost' }))
  void session.exited.then((message) =>
    resolve({
      how: 'exit',
      code: message.code,
      ended: message.ended ?? 'command',
      ...(message.error ? { message: message.error.message } : {}),
    }),
  )
  // What is typed before there is a terminal to get it is not lost.
  let early: Uint8Array[] | undefined = []
  const forward = (bytes: Uint8Array): void => {
    if (!bytes.length || options.readonly) return
    if (early) early.push(Uint8Array.from(bytes))
    else session.input(Uint8Array.from(bytes))
  }
  const typed = (bytes: Uint8Array): void => {
    clearTimeout(timer)
    if (!key) return forward(bytes)
    const result = key.push(bytes)
    forward(result.forward)
    if (result.detach) resolve({ how: 'detached' })
    else if (key.holding) timer = setTimeout(() => forward(key.flush()), ESCAPE_WAIT_MS)
  }
  const resized = (): void => session.resize(terminalSize())
  const gone = (): void => resolve({ how: 'detached' })
  process.stdin.on('data', typed)
  // Ctrl+D is how a terminal tells the end of input that is none (`coop run -t </dev/null`).
  const isTerminal = getModes(0) !== undefined // asked now: one that has hung up says no
  const over = (): void => (isTerminal ? gone() : forward(Buffer.from([EOT])))
  process.stdin.on('end', over)
  process.on('SIGWINCH', resized)
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.on(signal, gone)
  try {
    await begin()
    for (const bytes of early) session.input(bytes)
    early = undefined
    return await promise
  } finally {
    clearTimeout(timer)
    process.stdin.off('data', typed)
    process.stdin.pause()
    if (getModes(1)) writeAll(Buffer.from(modes.restore()))
    restore()
  }
}
