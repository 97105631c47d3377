/**
 * Asks the daemon one question and reads the answer without an event loop. That takes half the time of a session, which
 * matters for `coop ls` in a prompt or a script. Commands that watch or type use `session.ts`.
 */
import { SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { connectUnix, peerCredentials } from '../../ffi/descriptors.ts'
import { SysError, syscall } from '../../ffi/libc.ts'
import { writeAll } from '../../ffi/pipes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { errorFromJson } from '../core/errors.ts'
import { daemonSocket, type Paths } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import type { CallName, Reply, Request } from '../protocol/calls.ts'
import { encodeJson, FRAME_JSON, FrameDecoder } from '../protocol/frames.ts'
import { PROTOCOL, parseServerMessage } from '../protocol/server-messages.ts'

const BUFFER = 64 * 1024
const EINTR = -4

/** Returns the answer on a connected socket; undefined when the daemon goes away first or speaks another protocol. */
function converse(
  fd: number,
  dataDir: string,
  call: object,
  anyRelease: boolean,
): { value: unknown } | undefined {
  const hello = encodeJson({ type: 'hello', protocol: PROTOCOL, version: VERSION, dataDir })
  const question = encodeJson({ type: 'call', id: 1, call })
  const all = new Uint8Array(hello.length + question.length)
  all.set(hello)
  all.set(question, hello.length)
  if (writeAll(fd, all) < 0) return undefined
  const decoder = new FrameDecoder()
  const buffer = new Uint8Array(BUFFER)
  for (;;) {
    const n = syscall('read', fd, buffer, buffer.length)
    if (n === EINTR) continue
    if (n <= 0) return undefined
    for (const { type, payload } of decoder.push(buffer.subarray(0, n))) {
      const message = type === FRAME_JSON ? parseServerMessage(payload) : undefined
      // The daemon is of another release: daemon.ts decides which one makes room.
      if (message?.type === 'hello') {
        if (message.protocol !== PROTOCOL || (!anyRelease && message.version !== VERSION)) return undefined
      }
      if (message?.type === 'error') throw errorFromJson(message.error)
      if (message?.type === 'result') return { value: message.value }
    }
  }
}

/** A connection to the daemon; undefined when none listens. */
function dial(paths: Paths): number | undefined {
  try {
    return connectUnix(daemonSocket(paths), SOCK_STREAM)
  } catch (error) {
    if (!(error instanceof SysError)) throw error
    const { settleRuntimeDir } = require('./other-login.ts') as typeof import('./other-login.ts')
    return settleRuntimeDir(paths) ? dial(paths) : undefined
  }
}

/** Asks the running daemon; undefined when none runs that understands. Throws the daemon's CoopError. */
export function askRunning<N extends CallName>(
  paths: Paths,
  name: N,
  request: Request<N>,
  anyRelease = true,
): { readonly value: Reply<N> } | undefined {
  const fd = dial(paths)
  if (fd === undefined) return undefined
  try {
    // Another user's daemon, in a squatted folder, would learn the contents of the request.
    if (peerCredentials(fd).uid !== process.getuid?.()) return undefined
    const call = { do: name, ...request }
    return converse(fd, paths.dataDir, call, anyRelease) as { value: Reply<N> } | undefined
  } finally {
    closeDescriptor(fd)
  }
}

/** Asks the daemon, and starts it when none runs. */
export async function ask<N extends CallName>(paths: Paths, name: N, request: Request<N>): Promise<Reply<N>> {
  const answer = askRunning(paths, name, request, false)
  if (answer) return answer.value
  const { connect } = await import('./daemon.ts')
  return (await connect(paths)).call(name, request)
}
