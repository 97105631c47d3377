import { expect, test } from 'bun:test'
import { type Manager, subscribe, unsubscribe } from './subscription.ts'

const KEY = Buffer.from([4, ...Array.from({ length: 64 }, (_, at) => at)])

/** A browser's push manager, and a daemon that takes calls. */
function world(known?: Uint8Array) {
  const log: string[] = []
  const made = (key: Uint8Array) => ({
    options: { applicationServerKey: Uint8Array.from(key).buffer },
    unsubscribe: async () => {
      log.push('unsubscribed')
      held = undefined
      return true
    },
    toJSON: () => ({ endpoint: 'https://push.example.org/1', keys: { p256dh: 'P', auth: 'A' } }),
  })
  let held = known && made(known)
  const manager = {
    getSubscription: async () => held ?? null,
    subscribe: async ({ userVisibleOnly, applicationServerKey }: PushSubscriptionOptionsInit) => {
      log.push(`subscribed ${userVisibleOnly} ${Buffer.from(applicationServerKey as Uint8Array).equals(KEY)}`)
      held = made(KEY)
      return held
    },
  } as unknown as Manager
  const call = async (name: string, request: object) => {
    log.push(`${name} ${JSON.stringify(request)}`)
    return name === 'push.key' ? { key: KEY.toString('base64url') } : null
  }
  return { log, manager, connection: { call } as unknown as Parameters<typeof subscribe>[0] }
}

const TOLD =
  'push.subscribe {"subscription":{"endpoint":"https://push.example.org/1","keys":{"p256dh":"P","auth":"A"}}}'

test("a browser subscribes with the daemon's key, and tells the daemon where", async () => {
  const { log, manager, connection } = world()
  await subscribe(connection, manager)
  expect(log).toEqual(['push.key {}', 'subscribed true true', TOLD])
})

test('one that has a subscription tells it again: the daemon may have forgotten', async () => {
  const { log, manager, connection } = world(KEY)
  await subscribe(connection, manager)
  expect(log).toEqual(['push.key {}', TOLD])
})

test('one of another key is given up first', async () => {
  const { log, manager, connection } = world(Uint8Array.of(4, 1))
  await subscribe(connection, manager)
  expect(log).toEqual(['push.key {}', 'unsubscribed', 'subscribed true true', TOLD])
})

test('a browser that wants no more notices tells the daemon first', async () => {
  const { log, manager, connection } = world(KEY)
  await unsubscribe(connection, manager)
  expect(log).toEqual(['push.unsubscribe {}', 'unsubscribed'])
})
