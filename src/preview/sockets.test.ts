import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Server } from 'bun'
import { waitUntil } from '../../test/harness/wait.ts'
import { BadFrame, BINARY, closing, FrameReader, frame, TEXT } from './socket-frames.ts'
import { type Front, fakeBox, front } from './testing.ts'

const shop = fakeBox('shop')
let proxy: Front
let back: Server<undefined>
let mine: { host: string; cookie: string }
let closes: [number, string][] = []

beforeAll(async () => {
  back = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, server) {
      if (request.headers.get('origin') !== `http://localhost:${server.port}`)
        return new Response('', { status: 400 })
      if (request.url.endsWith('/none')) return new Response('none', { status: 426 })
      server.upgrade(request, { headers: { 'sec-websocket-protocol': 'vite-hmr' } })
      return undefined
    },
    websocket: {
      maxPayloadLength: 64 << 20,
      open: (socket) => void socket.send('hello'),
      message(socket, message) {
        if (message === 'bye') socket.close(4000, 'over')
        else if (message === 'flood') for (let i = 0; i < 40; i++) socket.sendBinary(Buffer.alloc(500_000, i))
        else socket.send(message)
      },
      close: (_, code, reason) => void closes.push([code, reason]),
    },
  })
  proxy = front([shop])
  mine = await proxy.enter('one', shop, back.port ?? 0)
})

afterAll(() => {
  proxy[Symbol.dispose]()
  void back.stop(true)
})

interface Opened {
  readonly socket: WebSocket
  readonly got: (string | Buffer)[]
  readonly ends: { code: number; reason: string }[]
}

function connect(headers: Record<string, string> = {}, path = '/hmr', as = mine): Opened {
  const options = {
    protocols: ['vite-hmr'],
    headers: { host: as.host, cookie: as.cookie, origin: `http://${as.host}`, ...headers },
  }
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}${path}`, options as unknown as string[])
  socket.binaryType = 'nodebuffer'
  const opened: Opened = { socket, got: [], ends: [] }
  socket.onmessage = ({ data }) => void opened.got.push(data as string | Buffer)
  socket.onclose = ({ code, reason }) => void opened.ends.push({ code, reason })
  return opened
}

const arrived = (opened: Opened, count: number): Promise<boolean> =>
  waitUntil(() => opened.got.length >= count, `${count} messages`)
const ended = async (opened: Opened): Promise<{ code: number; reason: string } | undefined> => {
  await waitUntil(() => opened.ends.length > 0, 'the end')
  return opened.ends[0]
}

test('messages of both kinds and every size pass, in order', async () => {
  const opened = connect()
  await arrived(opened, 1)
  expect(opened.socket.protocol).toBe('vite-hmr')
  const large = Buffer.alloc(3_000_000, 'abc')
  opened.socket.send('grüße')
  opened.socket.send(large)
  opened.socket.send('')
  opened.socket.send('x'.repeat(70_000))
  await arrived(opened, 5)
  const [hello, text, binary, empty, long] = opened.got
  expect([hello, text, empty]).toEqual(['hello', 'grüße', ''])
  expect(Buffer.compare(binary as Buffer, large)).toBe(0)
  expect(long).toHaveLength(70_000)
  opened.socket.close(4321, 'done')
  await waitUntil(() => closes.some(([code]) => code === 4321), 'the server to hear of the end')
})

test('a flood of the server comes whole', async () => {
  const opened = connect()
  await arrived(opened, 1)
  opened.socket.send('flood')
  await arrived(opened, 41)
  expect(opened.got.slice(1).every((one, i) => (one as Buffer).every((byte) => byte === i))).toBe(true)
  opened.socket.close()
})

test('the end of the server is the end of the browser’s socket', async () => {
  const opened = connect()
  await arrived(opened, 1)
  opened.socket.send('bye')
  expect(await ended(opened)).toEqual({ code: 4000, reason: 'over' })
})

test('another page, a missing cookie and a refusing server open nothing', async () => {
  for (const refused of [
    connect({ origin: 'http://evil.example' }),
    connect({ cookie: '' }),
    connect({}, '/none'),
  ]) {
    await ended(refused)
    expect(refused.got).toEqual([])
  }
})

test('a server that never ends its messages cannot fill the memory with them', async () => {
  const head = Buffer.from([0x82, 127, 0, 0, 0, 0, 0x02, 0, 0, 0]) // of 32 MiB
  const most = Buffer.alloc(31 << 20)
  const hostile = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (bytes) => {
      const key = /sec-websocket-key: (\S+)/i.exec(bytes.toString())?.[1]
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      socket.write(head)
      socket.write(most)
    })
  }).listen(0, '127.0.0.1')
  await once(hostile, 'listening')
  const { port } = hostile.address() as AddressInfo
  const entered = await proxy.enter('one', shop, port)
  const opened = Array.from({ length: 6 }, () => connect({}, '/hmr', entered))
  await waitUntil(() => opened.some(({ ends }) => ends.length > 0), 'the end of one')
  expect(opened.flatMap(({ ends }) => ends)).toContainEqual({ code: 1013, reason: 'previews hold too much' })
  for (const { socket } of opened) socket.terminate()
  hostile.close()
  // Others go on.
  const control = connect()
  await arrived(control, 1)
  control.socket.close()
})

test('signing the browser out closes its sockets', async () => {
  const two = await proxy.enter('two', shop, back.port ?? 0)
  closes = []
  const opened = connect({}, '/hmr', two)
  await arrived(opened, 1)
  proxy.browsers.revoke('two')
  expect((await ended(opened))?.code).toBe(4401)
  await waitUntil(() => closes.length > 0, 'the server to hear of it')
})

test('frames are read in pieces of any size, and fragments are put together', () => {
  const part = (first: number, text: string): Buffer =>
    Buffer.concat([Buffer.from([first, text.length]), Buffer.from(text)])
  const bytes = Buffer.concat([
    part(TEXT, 'he'),
    part(0x89, 'ping'),
    part(0, 'll'),
    part(0x80, 'o'),
    part(0x82, 'x'),
  ])
  for (const size of [1, 2, 3, 100]) {
    const reader = new FrameReader()
    const got: string[] = []
    for (let at = 0; at < bytes.length; at += size)
      for (const { opcode, payload } of reader.push(bytes.subarray(at, at + size)))
        got.push(`${opcode}:${payload}`)
    expect(got).toEqual(['9:ping', '1:hello', '2:x'])
  }
})

test('malformed frames of a server are refused', () => {
  for (const bad of [
    frame(BINARY, new Uint8Array(3)), // masked
    Buffer.from([0xc1, 0]), // an extension's bit
    Buffer.from([0x80, 0]), // a fragment of nothing
    Buffer.from([0x09, 0]), // a ping in fragments
    Buffer.from([0x89, 126, 0, 200]), // a long ping
    Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]), // 4 GiB
    Buffer.from([0x83, 0]), // an unknown kind
  ])
    expect(() => [...new FrameReader().push(bad)]).toThrow(BadFrame)
  expect(closing(1000, 'x'.repeat(500))).toHaveLength(125)
})
