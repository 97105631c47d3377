/**
 * For push.test.ts: a signed-in browser, and the push service that it has chosen, on an address of the internet. Runs in the
 * test's own network namespace, where that address is on the loopback interface. Prints a line of JSON for each thing
 * that happens.
 *
 *     bun push-visitor.ts ORIGIN TOKEN ADDRESS CERTIFICATE KEY
 */
import { readFileSync } from 'node:fs'
import { encodeJson, FRAME_JSON, FrameDecoder } from '../../src/protocol/frames.ts'
import { parseServerMessage } from '../../src/protocol/server-messages.ts'
import { PushReceiver } from '../../src/push/receiver.ts'

const [origin = '', token = '', address = '', certificate = '', key = ''] = process.argv.slice(2)
const tell = (line: object): void => console.log(JSON.stringify(line))

const statuses: number[] = []
const service = Bun.serve({
  hostname: address,
  port: 0,
  tls: { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') },
  async fetch(request) {
    const body = Buffer.from(await request.arrayBuffer())
    tell({ pushed: JSON.parse(browser.read(body)), path: new URL(request.url).pathname })
    return new Response(null, { status: statuses.shift() ?? 201 })
  },
})
const browser = new PushReceiver(`https://${address}:${service.port}/one`)

const signed = await fetch(`${origin}/api/sign-in`, {
  method: 'POST',
  headers: { origin, 'content-type': 'application/json' },
  body: JSON.stringify({ token }),
})
const { key: secret } = (await signed.json()) as { key: string }
const cookie = (signed.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/socket`, {
  protocols: ['coop', secret],
  headers: { cookie, origin },
} as unknown as string[])
socket.binaryType = 'arraybuffer'
await new Promise((resolve, reject) => {
  socket.onopen = resolve
  socket.onerror = reject
})
const decoder = new FrameDecoder()
const waiting = new Map<number, (message: unknown) => void>()
socket.onmessage = ({ data }) => {
  for (const { type, payload } of decoder.push(new Uint8Array(data as ArrayBuffer))) {
    const message = type === FRAME_JSON ? parseServerMessage(payload) : undefined
    if (message?.type === 'result') waiting.get(message.id)?.(message.value)
    if (message?.type === 'error') waiting.get(message.id)?.({ refused: message.error.message })
  }
}
socket.onclose = ({ code }) => tell({ closed: code })
socket.send(encodeJson({ type: 'hello', protocol: 4, version: 'test', client: 7 }))
let calls = 0
const call = (name: string, request: object): Promise<unknown> => {
  const id = ++calls
  socket.send(encodeJson({ type: 'call', id, call: { ...request, do: name } }))
  return new Promise((resolve) => waiting.set(id, resolve))
}

const subscribe = (endpoint: string) =>
  call('push.subscribe', { subscription: { ...browser.subscription, endpoint } })

const local = service.port
for (const endpoint of [
  `https://127.0.0.1:${local}/`,
  'https://localhost/',
  'https://192.168.1.1/',
  `http://${address}/`,
])
  tell({ endpoint, answer: await subscribe(endpoint) })
tell({ key: await call('push.key', {}) })
tell({ subscribed: await subscribe(browser.subscription.endpoint) })
// Commands of the test, one a line.
for await (const line of console) {
  if (line === 'ended') statuses.push(410)
  tell({ heard: line })
}
