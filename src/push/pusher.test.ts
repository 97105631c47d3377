import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HandClock } from '../core/hand-clock.ts'
import type { PushSubscription } from '../protocol/calls/push.ts'
import { delivering, meaningOf } from './deliver.ts'
import type { Notice } from './notice.ts'
import { DWELL_MS } from './notice-clock.ts'
import { isPublicAddress } from './public-address.ts'
import { Pusher, type PushStore, type VapidKeys } from './pusher.ts'
import { PushReceiver } from './receiver.ts'

interface Received {
  readonly path: string
  readonly headers: Headers
  readonly body: Buffer
}

let folder = ''
let certificate = ''
let service: ReturnType<typeof Bun.serve>
const received: Received[] = []
let hears: (() => void) | undefined
const statuses: number[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coop-push-'))
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const names = 'subjectAltName=IP:127.0.0.1,DNS:push.example.org'
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=push.example.org', '-addext', names, '-keyout', key, '-out', file],
  ])
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`)
  certificate = readFileSync(file, 'utf8')
  service = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { key: readFileSync(key, 'utf8'), cert: certificate },
    async fetch(request) {
      const body = Buffer.from(await request.arrayBuffer())
      received.push({ path: new URL(request.url).pathname, headers: request.headers, body })
      setTimeout(() => hears?.())
      const status = statuses.shift() ?? 201
      return new Response(null, { status, headers: status === 307 ? { location: '/elsewhere' } : {} })
    },
  })
})

afterAll(async () => {
  await service.stop(true)
  rmSync(folder, { recursive: true })
})

/** A browser whose push service is the one above. */
class Browser extends PushReceiver {
  constructor(path: string) {
    super(`https://127.0.0.1:${service.port}${path}`)
  }
}

class Memory implements PushStore {
  vapid: VapidKeys | undefined
  readonly subscriptions = new Map<string, PushSubscription>()
  setVapid(keys: VapidKeys): void {
    this.vapid = keys
  }
  setSubscription(browser: string, subscription: PushSubscription | undefined): void {
    if (subscription) this.subscriptions.set(browser, subscription)
    else this.subscriptions.delete(browser)
    hears?.()
  }
}

const loopback = { mayConnect: (address: string): boolean => address === '127.0.0.1' }

function pushing(rules = loopback) {
  const store = new Memory()
  const clock = new HandClock()
  const waiting = new Map<string, Notice>()
  const logged: Readonly<Record<string, unknown>>[] = []
  received.length = 0
  statuses.length = 0
  const pusher = new Pusher({
    store,
    rules,
    clock,
    deliver: delivering(rules, () => [certificate]),
    noticeOf: (box) => waiting.get(box),
    log: (event, fields) => {
      logged.push({ event, ...fields })
      hears?.()
    },
  })
  const asks = (box: string, text: string): void => {
    waiting.set(box, { box, agent: 'claude', state: 'blocked', since: clock.now(), text })
    pusher.changed(box)
  }
  const goesOn = (box: string): void => {
    waiting.delete(box)
    pusher.changed(box)
  }
  return { store, clock, pusher, logged, asks, goesOn }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    const { promise, resolve } = Promise.withResolvers<void>()
    hears = resolve
    await promise
  }
  hears = undefined
}

test('a waiting agent reaches a browser, encrypted for it and signed with the key that it subscribed with', async () => {
  const { store, clock, pusher, asks } = pushing()
  const key = await pusher.key()
  expect(await pusher.key()).toBe(key)
  expect(store.vapid?.publicKey).toBe(key)
  const browser = new Browser('/one')
  pusher.subscribe('b1', browser.subscription)
  asks('shop', 'approve Bash: rm -r build\x1b[2J')
  const since = clock.now()
  clock.pass(DWELL_MS)
  await until(() => received.length === 1)
  const [message] = received
  if (!message) throw new Error('nothing came')
  expect(message.path).toBe('/one')
  expect(JSON.parse(browser.read(message.body))).toEqual({
    box: 'shop',
    agent: 'claude',
    state: 'blocked',
    since,
    text: 'approve Bash: rm -r build[2J',
  })
  expect(message.body.toString('latin1')).not.toContain('shop')
  const { headers } = message
  expect(headers.get('urgency')).toBe('high')
  expect(headers.get('ttl')).toBe('3600')
  expect(headers.get('topic')).toMatch(/^[\w-]{32}$/)
  expect(headers.get('content-encoding')).toBe('aes128gcm')
  expectSigned(headers.get('authorization') ?? '', key)
})

/** RFC 8292: a token of the service's own address, signed by the key beside it. */
function expectSigned(authorization: string, key: string): void {
  const [, token = '', named = ''] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(authorization) ?? []
  expect(named).toBe(key)
  const [head = '', claims = '', signature = ''] = token.split('.')
  const told = JSON.parse(Buffer.from(claims, 'base64url').toString())
  expect(told.aud).toBe(`https://127.0.0.1:${service.port}`)
  expect(told.exp).toBeLessThanOrEqual(Date.now() / 1000 + 24 * 3600)
  const point = Buffer.from(key, 'base64url')
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  const bytes = Buffer.from(`${head}.${claims}`)
  expect(
    verify(
      'sha256',
      bytes,
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    ),
  ).toBe(true)
}

test('every signed-in browser gets it, and none that has unsubscribed', async () => {
  const { clock, pusher, asks } = pushing()
  for (const name of ['one', 'two', 'three']) pusher.subscribe(name, new Browser(`/${name}`).subscription)
  pusher.unsubscribe('two')
  asks('shop', 'yes?')
  clock.pass(DWELL_MS)
  await until(() => received.length === 2)
  expect(received.map(({ path }) => path).sort()).toEqual(['/one', '/three'])
})

test.each([404, 410])('a subscription that has ended (%i) is removed', async (status) => {
  const { store, clock, pusher, asks } = pushing()
  pusher.subscribe('b1', new Browser('/ended').subscription)
  statuses.push(status)
  asks('shop', 'yes?')
  clock.pass(DWELL_MS)
  await until(() => store.subscriptions.size === 0)
  expect(received).toHaveLength(1)
})

test('a service that is overloaded gets the notice again, at most twice, and keeps the subscription', async () => {
  const { store, clock, pusher, logged, asks } = pushing()
  pusher.subscribe('b1', new Browser('/busy').subscription)
  statuses.push(503, 500, 429, 201)
  asks('shop', 'yes?')
  clock.pass(DWELL_MS)
  for (const tries of [1, 2, 3]) {
    await until(() => logged.length === tries)
    clock.pass(30_000)
  }
  expect(received).toHaveLength(3)
  expect(logged.map(({ again }) => again)).toEqual([true, true, false])
  expect(store.subscriptions.size).toBe(1)
})

test('a question that was answered meanwhile is not sent again', async () => {
  const { clock, pusher, logged, asks, goesOn } = pushing()
  pusher.subscribe('b1', new Browser('/busy').subscription)
  statuses.push(503)
  asks('shop', 'yes?')
  clock.pass(DWELL_MS)
  await until(() => logged.length === 1)
  goesOn('shop')
  clock.pass(60_000)
  pusher.subscribe('b2', new Browser('/last').subscription)
  asks('barn', 'and?')
  clock.pass(DWELL_MS)
  await until(() => received.length === 3)
  expect(received.map(({ path }) => path)).toEqual(['/busy', '/busy', '/last'])
})

test('a redirect is not followed', async () => {
  const { clock, pusher, logged, asks } = pushing()
  pusher.subscribe('b1', new Browser('/moved').subscription)
  statuses.push(307)
  asks('shop', 'yes?')
  clock.pass(DWELL_MS)
  await until(() => logged.length === 1)
  expect(received.map(({ path }) => path)).toEqual(['/moved'])
  expect(logged[0]).toMatchObject({ event: 'push-failed', why: 'status 307', again: false })
})

test('with the rules of the daemon no message and no subscription gets to this machine', async () => {
  const rules = { mayConnect: isPublicAddress }
  const { store, clock, pusher, logged, asks } = pushing(rules)
  const { subscription } = new Browser('/local')
  expect(() => pusher.subscribe('b1', subscription)).toThrow('is not on the internet')
  store.setSubscription('b1', subscription) // as if the file had been changed
  asks('shop', 'yes?')
  clock.pass(DWELL_MS)
  await until(() => logged.length === 1)
  expect(String(logged[0]?.why)).toContain('is not on the internet')
  expect(received).toEqual([])
})

test('a name of the internet that leads to this machine is not connected to', async () => {
  const endpoint = `https://localhost.example.org:${service.port}/`
  const message = { endpoint, headers: {}, body: new Uint8Array() }
  const asked: string[] = []
  const answers = async (name: string) => {
    asked.push(name)
    return [
      { address: '8.8.8.8', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]
  }
  const deliver = delivering({ mayConnect: isPublicAddress }, () => [certificate], answers)
  received.length = 0
  const delivery = await deliver(message)
  expect(asked).toEqual(['localhost.example.org'])
  expect(delivery).toMatchObject({ is: 'later' })
  expect(received).toEqual([])
  // The same with an address that may be connected to: the certificate's name counts, and it is not this one.
  const open = delivering(
    loopback,
    () => [certificate],
    async () => [{ address: '127.0.0.1', family: 4 }],
  )
  expect(await open(message)).toMatchObject({ is: 'later', why: expect.stringContaining('CERT') })
  const named = { ...message, endpoint: `https://push.example.org:${service.port}/named` }
  expect(await open(named)).toEqual({ is: 'delivered' })
  expect(received.map(({ path }) => path)).toEqual(['/named'])
})

test('an answer says whether another try helps', () => {
  expect(meaningOf(201, undefined)).toEqual({ is: 'delivered' })
  expect(meaningOf(410, undefined)).toEqual({ is: 'gone' })
  expect(meaningOf(400, undefined)).toEqual({ is: 'refused', why: 'status 400' })
  expect(meaningOf(429, '10')).toEqual({ is: 'later', why: 'status 429', waitMs: 10_000 })
  expect(meaningOf(503, '999999')).toEqual({ is: 'later', why: 'status 503', waitMs: 300_000 })
  expect(meaningOf(503, 'Wed, 21 Oct 2026 07:28:00 GMT')).toEqual({ is: 'later', why: 'status 503' })
})
