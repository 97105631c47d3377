/** Calls about notices for browsers whose page is closed (Web Push, RFC 8030). They mean the browser that calls. */
import { call } from '../shapes/call.ts'
import { matching, nothing, type Of, object, text } from '../shapes/shapes.ts'

const base64url = matching(/^[\w-]+={0,2}$/, 'bytes as base64url', 256)

const subscription = object({
  /** Where the browser's push service takes messages for it. */
  endpoint: text(2048),
  /** The browser's public key, and a secret that only it and the daemon know: the push service reads nothing. */
  keys: object({ p256dh: base64url, auth: base64url }),
})
export type PushSubscription = Of<typeof subscription>

export const PUSH_CALLS = {
  'push.key': call(
    "Returns the daemon's public key for push services (VAPID, RFC 8292), as base64url.",
    object({}),
    object({ key: text() }),
  ),
  'push.subscribe': call(
    'Sends notices of agents that wait to this browser from now on, also while no page is open.',
    object({ subscription }),
    nothing,
  ),
  'push.unsubscribe': call('Sends this browser no more notices.', object({}), nothing),
} as const
