/**
 * What a browser may ask for. A call is allowed only if it stands here: a new call is closed to browsers until somebody has thought
 * about it.
 */
import { CoopError } from '../core/errors.ts'
import type { Call, CallName } from '../protocol/calls.ts'
import type { Environment } from '../protocol/shapes/values.ts'

/** They change nothing. */
const READS = [
  'attach', // made read-only
  'box.find',
  'box.list',
  'box.status',
  'events',
  'folder.list',
  'folder.recent',
  'logs',
  'preview.list',
  // Notices for the browser itself: whoever may look may be told.
  'push.key',
  'push.subscribe',
  'push.unsubscribe',
  'screen',
  'snapshot.list',
  'system.status',
  'trust.show',
] as const satisfies readonly CallName[]

const CHANGES = [
  'box.create',
  'box.kill',
  'box.start',
  'box.stop',
  'preview.open', // who sees a page of a box can do what the page can
  'pty.kill',
  'pty.restart',
  'shell.open',
  'snapshot.create',
  'snapshot.remove',
  'snapshot.restore',
  'snapshot.undo',
  'trust.accept',
] as const satisfies readonly CallName[]

const reads: ReadonlySet<string> = new Set(READS)
const changes: ReadonlySet<string> = new Set(CHANGES)

export interface Visitor {
  /** Shown to people as the client's terminal. */
  readonly name: string
  readonly readonly: boolean
  /** The environment of the person that serves: a browser has none. */
  readonly environment: Environment
}

/** Returns the call as it is carried out for a browser. Raises E_USAGE for one that it may not make. */
export function callOfBrowser(call: Call, { name, readonly, environment }: Visitor): Call {
  if (!reads.has(call.do) && !changes.has(call.do))
    throw new CoopError('E_USAGE', `browsers may not ask for ${call.do}`, { hint: 'use a terminal' })
  if (readonly && changes.has(call.do))
    throw new CoopError('E_USAGE', 'this browser may only look', {
      hint: 'sign in again with the address of a coop serve without --readonly',
    })
  if (call.do === 'attach') return { ...call, terminal: name, readonly: call.readonly || readonly }
  if (call.do === 'shell.open') return { ...call, terminal: name }
  if (call.do === 'box.create' || call.do === 'trust.show')
    return { ...call, box: { ...call.box, environment } } as Call
  if ('environment' in call) return { ...call, environment }
  return call
}
