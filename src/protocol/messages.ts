/**
 * Control messages between clients and the daemon: one discriminated union per direction, validated here and nowhere
 * else. What a web page or tunnel may send is decided on top of this, never below.
 */
import { CoopError } from '../core/errors.ts'
import type { WindowSize } from '../core/window-size.ts'
import { CALLS, type Call, isCallName } from './calls.ts'
import { Malformed, TooLong } from './malformed.ts'
import { fieldsOf, integer, object, optional, text } from './shapes.ts'
import { windowSize } from './values.ts'

export type ClientMessage =
  /** `dataDir`: the client takes boxes to be there. */
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string; readonly dataDir?: string }
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  /** `visible`: false for a window that nobody sees now, such as a browser's tab in the background. */
  | { readonly type: 'resize'; readonly size: WindowSize; readonly visible: boolean }
  | { readonly type: 'signal'; readonly signal: number }
  /** A newer coop asks this daemon to make room for its own. Boxes and clients move on to that. */
  | { readonly type: 'retire' }

/** A call that cannot be taken, and the answer to its client. */
export interface RefusedCall {
  readonly type: 'refused'
  readonly id: number
  readonly error: CoopError
}

const hello = object({ protocol: integer(0, 1 << 30), version: text(), dataDir: optional(text()) })
const callId = integer(0, 2 ** 31)
const signalNumber = integer(1, 64)

function readCall(value: unknown): Call {
  const name = fieldsOf(value).do
  if (!isCallName(name)) throw new Malformed('a known call')
  // The request was read by the shape of this very name.
  return { do: name, ...CALLS[name].request.read(value) } as Call
}

function callMessage(id: number, value: unknown): ClientMessage | RefusedCall {
  try {
    return { type: 'call', id, call: readCall(value) }
  } catch (error) {
    return { type: 'refused', id, error: refusal(error) }
  }
}

const SHOWN = 40 // characters of a value that is too long

function refusal(error: unknown): CoopError {
  if (error instanceof TooLong) {
    const start = JSON.stringify(`${error.value.slice(0, SHOWN)}…`)
    const sentence = `${start} is too long: ${error.value.length} characters, and there is room for ${error.max}`
    return new CoopError('E_USAGE', sentence, { hint: 'give a shorter one' })
  }
  return new CoopError('E_DAEMON', 'the coop daemon does not understand what it was asked', {
    hint: 'start a new one, boxes go on: coop system shutdown',
  })
}

/** A message of a client; undefined when it is none. */
export function parseClientMessage(payload: Uint8Array): ClientMessage | RefusedCall | undefined {
  try {
    const it = fieldsOf(JSON.parse(Buffer.from(payload).toString('utf8')))
    switch (it.type) {
      case 'hello':
        return { type: 'hello', ...hello.read(it) }
      case 'call':
        return callMessage(callId.read(it.id), it.call)
      case 'resize':
        return { type: 'resize', size: windowSize.read(it.size), visible: it.visible !== false }
      case 'signal':
        return { type: 'signal', signal: signalNumber.read(it.signal) }
      case 'retire':
        return { type: 'retire' }
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}
