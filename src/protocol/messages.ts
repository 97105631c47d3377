/**
 * Control messages between clients and the daemon: one discriminated union per direction, validated only here. Limits
 * for a web page or tunnel belong on top of this, never below.
 */
import { CoopError } from '../core/errors.ts'
import type { WindowSize } from '../core/window-size.ts'
import { CALLS, type Call, isCallName } from './calls.ts'
import { MAX_CHANNEL } from './frames.ts'
import { callOfToday } from './older.ts'
import { PROTOCOL } from './server-messages.ts'
import { Malformed, TooLong } from './shapes/malformed.ts'
import { type Fields, fieldsOf, integer, object, optional, text } from './shapes/shapes.ts'
import { windowSize } from './shapes/values.ts'

export type ClientMessage =
  /** `dataDir` is the folder where the client expects boxes. */
  | {
      readonly type: 'hello'
      readonly protocol: number
      readonly version: string
      readonly dataDir?: string | undefined
      /** A random number of the client's, which it keeps when it comes back. */
      readonly client?: number | undefined
    }
  /** A terminal or command that the call begins is shown on `channel`, by default 0. */
  | { readonly type: 'call'; readonly id: number; readonly channel?: number | undefined; readonly call: Call }
  /** `visible` is false for a window that nobody sees, such as a background tab of a browser. */
  | {
      readonly type: 'resize'
      readonly channel?: number | undefined
      readonly size: WindowSize
      readonly visible: boolean
    }
  | { readonly type: 'signal'; readonly channel?: number | undefined; readonly signal: number }
  /** The client closes that channel. */
  | { readonly type: 'close'; readonly channel: number }
  /** A newer coop asks this daemon to make room for its own, which then takes over boxes and clients. */
  | { readonly type: 'retire' }

/** A call that cannot be accepted, and the answer to its client. */
export interface RefusedCall {
  readonly type: 'refused'
  readonly id: number
  readonly error: CoopError
}

const MAX_CLIENT = 2 ** 32 // ids are random: two of them are equal once in billions

const hello = object({
  protocol: integer(0, 1 << 30),
  version: text(),
  dataDir: optional(text()),
  client: optional(integer(1, MAX_CLIENT)),
})
const callId = integer(0, 2 ** 31)
const channel = integer(0, MAX_CHANNEL)
const onChannel = object({ channel: optional(channel) })
const signalNumber = integer(1, 64)

function readCall(value: unknown): Call {
  const name = fieldsOf(value).do
  if (!isCallName(name)) throw new Malformed('a known call')
  // The cast holds: this very name's shape has read the request.
  return { do: name, ...CALLS[name].request.read(value) } as Call
}

function callMessage(it: Fields, protocol: number): ClientMessage | RefusedCall {
  const id = callId.read(it.id)
  try {
    return { type: 'call', id, ...onChannel.read(it), call: readCall(callOfToday(it.call, protocol)) }
  } catch (error) {
    return { type: 'refused', id, error: refusal(error) }
  }
}

const SHOWN = 40 // characters of a too long value in its error

function refusal(error: unknown): CoopError {
  if (error instanceof TooLong) {
    const start = JSON.stringify(`${error.value.slice(0, SHOWN)}…`)
    const sentence = `${start} is too long: it has ${error.value.length} characters, and ${error.max} are allowed`
    return new CoopError('E_USAGE', sentence, { hint: 'give a shorter value' })
  }
  return new CoopError('E_DAEMON', 'the coop daemon does not understand the request', {
    hint: 'end it, and the next command starts a new one; boxes keep running: coop system shutdown',
  })
}

/** Parses a message of a client that speaks this protocol; undefined for a malformed one. */
export function parseClientMessage(
  payload: Uint8Array,
  protocol = PROTOCOL,
): ClientMessage | RefusedCall | undefined {
  try {
    const it = fieldsOf(JSON.parse(Buffer.from(payload).toString('utf8')))
    switch (it.type) {
      case 'hello':
        return { type: 'hello', ...hello.read(it) }
      case 'call':
        return callMessage(it, protocol)
      case 'resize':
        return {
          type: 'resize',
          ...onChannel.read(it),
          size: windowSize.read(it.size),
          visible: it.visible !== false,
        }
      case 'signal':
        return { type: 'signal', ...onChannel.read(it), signal: signalNumber.read(it.signal) }
      case 'close':
        return { type: 'close', channel: channel.read(it.channel) }
      case 'retire':
        return { type: 'retire' }
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}
