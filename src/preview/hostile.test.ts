/** Servers in boxes that answer as they should not: the browser gets a page of coop's, or a connection that ends. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Socket } from 'bun'
import { exchange } from './exchange.ts'
import { type Front, fakeBox, front } from './testing.ts'
import { Wire } from './wire.ts'

const shop = fakeBox('shop')
let proxy: Front
let port = 0
let mine: { host: string; cookie: string }
let answer = ''
let asked: string[] = []
let server: { stop(force: boolean): void }

beforeAll(async () => {
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket: Socket, bytes) {
        asked.push(bytes.toString('latin1'))
        socket.write(Buffer.from(answer, 'latin1'))
        if (answer.includes('~end')) socket.end()
      },
    },
  })
  server = listener
  port = listener.port
  proxy = front([shop])
  mine = await proxy.enter('one', shop, port)
})

afterAll(() => {
  proxy[Symbol.dispose]()
  server.stop(true)
})

async function answered(text: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  answer = text
  asked = []
  const response = await proxy.ask(mine.host, '/', { ...init, headers: { cookie: mine.cookie } })
  return { status: response.status, text: await response.text() }
}

describe('an answer', () => {
  test('that is clean passes (the control)', async () => {
    expect(await answered('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')).toEqual({
      status: 200,
      text: 'hi',
    })
    const chunked =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nTrailer: 1\r\n\r\n'
    expect(await answered(chunked)).toEqual({ status: 200, text: 'hi' })
    expect((await answered('HTTP/1.0 200 OK\r\n\r\nhi ~end')).text).toBe('hi ~end')
  })

  for (const [what, text] of [
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    ['a space before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    [
      'a bare line feed in a header',
      'HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: coop-1=x\r\nContent-Length: 0\r\n\r\n',
    ],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nA: b\0\r\nContent-Length: 0\r\n\r\n'],
    ['a status of its own', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(400)}\r\n`],
    ['a long header', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(200_000)}`],
    ['interim answers without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(60)],
    ['nothing', '~end'],
  ] as const)
    test(`with ${what} is refused`, async () => {
      const { status, text: shown } = await answered(text)
      expect(status).toBe(502)
      expect(shown).toContain('does not answer')
    })

  test('with more than its body taints no other one', async () => {
    const two =
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
    expect((await answered(two)).text).toBe('hi')
    expect((await answered('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')).text).toBe('ok')
  })

  test('whose chunks are malformed breaks off', async () => {
    for (const size of ['-1', '0x2', 'zz', '', '2 2'])
      await expect(
        answered(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\nhi\r\n`),
      ).rejects.toThrow()
  })
})

test('a request carries no header that its values could smuggle in', async () => {
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  asked = []
  const lines = [
    'POST /?a=\\b HTTP/1.1',
    `Host: ${mine.host}`,
    `Cookie: ${mine.cookie}`,
    'Connection: content-length, x-secret',
    'X-Secret: 1',
    'Content-Length: 4',
    '\r\nbody',
  ]
  const response = await raw(lines.join('\r\n'))
  expect(response).toStartWith('HTTP/1.1 200')
  const got = asked.join('')
  expect(got).toContain('content-length: 4\r\n')
  expect(got).not.toContain('x-secret')
  expect(got).toEndWith('\r\n\r\nbody')
})

test('a request whose length is not clear reaches no server', async () => {
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  asked = []
  for (const fields of [
    'Content-Length: 4\r\nTransfer-Encoding: chunked',
    'Content-Length: 4\r\nContent-Length: 5',
    'Transfer-Encoding: chunked, gzip',
    'Content-Length: 0x4',
  ]) {
    const response = await raw(
      `POST / HTTP/1.1\r\nHost: ${mine.host}\r\nCookie: ${mine.cookie}\r\n${fields}\r\n\r\n0\r\n\r\n`,
    )
    expect(response).toStartWith('HTTP/1.1 400')
  }
  expect(asked).toEqual([])
})

/** Sends bytes to the front and returns the beginning of its answer. */
async function raw(text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: proxy.port,
    socket: { data: (_, bytes) => resolve(bytes.toString('latin1')), close: () => resolve('') },
  })
  socket.write(text)
  const got = await promise
  socket.end()
  return got
}

test('an answer in chunks of one byte does not become a queue of as many pieces', async () => {
  const chunks = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (socket) => void socket.write(chunks) },
  })
  const out = { method: 'GET', target: '/', headers: [], body: null, length: undefined }
  const wire = await Wire.to('127.0.0.1', server.port)
  const { body } = await exchange(wire, out, new AbortController().signal, () => {})
  const first = await body?.getReader().read()
  expect(first?.value?.length).toBeGreaterThan(100)
  server.stop(true)
})
