/** The subscription of this browser to notices that come while no page is open. */
import type { Connection } from '../connection/connection.ts'
import { registration } from './worker.ts'

const bytesOf = (base64url: string): Uint8Array<ArrayBuffer> => {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

const isSame = (one: ArrayBuffer | null, other: Uint8Array): boolean => {
  const bytes = new Uint8Array(one ?? new ArrayBuffer(0))
  return bytes.length === other.length && bytes.every((byte, at) => byte === other[at])
}

/** The parts of PushManager that are used. */
export interface Manager {
  getSubscription(): Promise<PushSubscription | null>
  subscribe(options: PushSubscriptionOptionsInit): Promise<PushSubscription>
}

/** Subscribes, and tells the daemon. Rejects where the browser or its push service does not want to. */
export async function subscribe(connection: Pick<Connection, 'call'>, manager: Manager): Promise<void> {
  const key = bytesOf((await connection.call('push.key', {})).key)
  let subscription = await manager.getSubscription()
  if (subscription && !isSame(subscription.options.applicationServerKey, key)) {
    await subscription.unsubscribe() // the daemon has another key than it had
    subscription = null
  }
  subscription ??= await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  const { endpoint, keys } = subscription.toJSON()
  const { p256dh, auth } = keys ?? {}
  if (!endpoint || !p256dh || !auth) throw new Error('the browser gives no address for its messages')
  await connection.call('push.subscribe', { subscription: { endpoint, keys: { p256dh, auth } } })
}

export async function unsubscribe(connection: Pick<Connection, 'call'>, manager: Manager): Promise<void> {
  await connection.call('push.unsubscribe', {})
  await (await manager.getSubscription())?.unsubscribe()
}

/** The browser's own, if it has one. */
export async function pushManager(): Promise<Manager | undefined> {
  const worker = await registration()
  return worker && 'pushManager' in worker ? worker.pushManager : undefined
}
