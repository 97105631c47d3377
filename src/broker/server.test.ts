/** Slow and idle programs, and programs that hang up: each against the broker's own server, with short times. */
import { expect, test } from 'bun:test'
import { connect, createServer, type Socket } from 'node:net'
import type { Over } from './exchange.ts'
import { Links } from './links.ts'
import { listen } from './server.ts'
import { newToken } from './terms/grant.ts'

const LIMITS = { headMs: 300, idleMs: 300, connections: 64, atOnce: 4 }

async function stage(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const provider = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  const address = provider.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const token = newToken()
  const terms = { key: { from: 'env', name: 'K' }, url, budget: null, prices: {} } as const
  const over: Over[] = []
  const links = new Links(() => [])
  const house = {
    links,
    boxes: () => [{ name: 'box', created: 1, token, providers: { anthropic: terms } }],
    mayAsk: () => {},
    key: async () => 'the-real-key',
    over: (_: unknown, how: Over) => void over.push(how),
    log: () => {},
  }
  const server = await listen(0, house, LIMITS)
  const head = `POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nx-api-key: ${token}\r\n`
  /** Sends a text, and resolves with the answer when the connection has been ended. */
  const say = (text: string): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const socket = connect({ port: server.port, host: '127.0.0.1' }, () => text && socket.write(text))
    let said = ''
    socket.on('data', (bytes) => {
      said += bytes.toString()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
    return promise
  }
  return {
    ...{ head, say, over, sockets, port: server.port },
    [Symbol.asyncDispose]: async () => {
      server.close()
      links.close()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => provider.close(resolve))
    },
  }
}

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

test('programs that say nothing, or half of a head, are hung up on, and others are served meanwhile', async () => {
  await using at = await stage((socket) => void socket.write(ANSWER))
  const slow = Array.from({ length: 40 }, (_, index) => at.say(index % 2 ? at.head : ''))
  expect(await at.say(`${at.head}connection: close\r\ncontent-length: 2\r\n\r\n{}`)).toEndWith('ok')
  expect(await Promise.all(slow)).toEqual(Array(40).fill(''))
})

test('requests of one box at a time are bounded', async () => {
  const waiting: Socket[] = []
  await using at = await stage((socket) => {
    waiting.push(socket)
    if (waiting.length < LIMITS.atOnce) return
    // The fifth is refused while the four wait.
    void at.say(`${at.head}connection: close\r\ncontent-length: 2\r\n\r\n{}`).then((text) => {
      expect(text).toStartWith('HTTP/1.1 429 ')
      for (const one of waiting) one.write(ANSWER)
    })
  })
  const ask = (): Promise<string> => at.say(`${at.head}connection: close\r\ncontent-length: 2\r\n\r\n{}`)
  const all = await Promise.all(Array.from({ length: LIMITS.atOnce }, ask))
  for (const text of all) expect(text).toEndWith('ok')
})

test('whoever hangs up ends the other side, and what the box has had is counted', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  await using at = await stage((socket) => {
    socket.on('close', () => resolve())
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: x\n\n')
  })
  const socket = connect({ port: at.port, host: '127.0.0.1' }, () =>
    socket.write(`${at.head}content-length: 2\r\n\r\n{}`),
  )
  socket.once('data', () => socket.destroy())
  await ended
  expect(at.over).toMatchObject([{ status: 200, sentBytes: 2, receivedBytes: 9, isReusable: false }])

  await using other = await stage(
    (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
  )
  expect(await other.say(`${other.head}content-length: 2\r\n\r\n{}`)).toEndWith('half')
})

test('a request is sent again over a new connection when the kept one was just closed', async () => {
  let connections = 0
  await using at = await stage((socket) => {
    const isFirst = ++connections === 1
    socket.write(ANSWER)
    socket.on('data', () => void socket.destroy()) // as if it had been closed before the request came
    if (!isFirst) socket.end()
  })
  const ask = (): Promise<string> => at.say(`${at.head}connection: close\r\ncontent-length: 2\r\n\r\n{}`)
  expect(await ask()).toEndWith('ok')
  expect(await ask()).toEndWith('ok')
  expect(connections).toBe(2)
})

test('a connection has one request after the other, also when they come together', async () => {
  let count = 0
  await using at = await stage((socket) => {
    const answer = (): void => void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n#${++count}`)
    answer()
    socket.on('data', answer)
  })
  const one = `${at.head}content-length: 2\r\n\r\n{}`
  const said = await at.say(
    `${one}${one}${at.head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  )
  expect(said.match(/#\d/g)).toEqual(['#1', '#2', '#3'])
  expect(at.over).toHaveLength(3)
  expect(at.sockets.size).toBe(1) // one connection to the provider for all of them
})
