import { afterEach, describe, expect, test } from 'bun:test'
import { createServer, type Socket } from 'node:net'
import { Http } from './http.ts'

const http = new Http({
  env: {},
  times: { answerMs: 300, stallMs: 300, smallMs: 600, slowAfterMs: 300, delayMs: 1 },
})
const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))

const opened: { stop(): void }[] = []
afterEach(() => {
  for (const server of opened.splice(0)) server.stop()
})

function serve(answer: (request: Request) => Response | Promise<Response>): URL {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer })
  opened.push({ stop: () => void server.stop(true) })
  return new URL(`http://127.0.0.1:${server.port}/coop.zst`)
}

/** A server that says exactly this to each connection, the first time, the second time and so on. */
async function raw(
  ...answers: readonly ((socket: Socket) => void)[]
): Promise<{ url: URL; asked: string[] }> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (head) => {
      asked.push(head.toString())
      answers[Math.min(asked.length, answers.length) - 1]?.(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/coop.zst`), asked }
}

const head = (status: string, ...lines: readonly string[]): string =>
  [`HTTP/1.1 ${status}`, ...lines, '', ''].join('\r\n')
const fail = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    ({ code, message, hint }) => `${code}: ${message} (${hint})`,
  )
const quiet = () => {}

describe('a file of a known size', () => {
  test('arrives whole, and its progress is told', async () => {
    const told: number[] = []
    const url = serve(() => new Response(content))
    expect(content.equals(await http.exact(url, content.length, (done) => told.push(done)))).toBe(true)
    expect(told.at(-1)).toBe(content.length)
  })

  test('goes on where the connection broke off', async () => {
    const large = Buffer.concat(Array(40).fill(content))
    const { url, asked } = await raw(
      (socket) => {
        socket.write(head('200 OK', `Content-Length: ${large.length}`))
        socket.end(large.subarray(0, 3_000_000))
      },
      (socket) => {
        const from = Number(/^range: bytes=(\d+)-/im.exec(asked.at(-1) ?? '')?.[1])
        const range = `Content-Range: bytes ${from}-${large.length - 1}/${large.length}`
        socket.write(head('206 Partial Content', `Content-Length: ${large.length - from}`, range))
        socket.end(large.subarray(from))
      },
    )
    expect(large.equals(await http.exact(url, large.length, quiet))).toBe(true)
    expect(asked[1]).toMatch(/^range: bytes=[1-9]\d*-/im)
  })

  test('begins anew with a server that cannot continue', async () => {
    let asked = 0
    const url = serve(() => (asked++ ? new Response(content) : new Response(content.subarray(0, 50_000))))
    expect(content.equals(await http.exact(url, content.length, quiet))).toBe(true)
    expect(asked).toBe(2)
  })

  test('that is always cut off at the same place is given up', async () => {
    let asked = 0
    const url = serve(() => {
      asked++
      return new Response(content.subarray(0, 50_000))
    })
    expect(await fail(http.exact(url, content.length, quiet))).toMatch(
      /^E_RELEASE: the download of .* failed: it broke off after 50000 of 100000 bytes \(nothing was changed/,
    )
    expect(asked).toBeLessThan(10)
  })

  test('that is longer than promised is refused before, and while it is read', async () => {
    const words = /^E_RELEASE: 127\.0\.0\.1:\d+ sends more of coop\.zst than its 1000 bytes \(do not use/
    expect(
      await fail(
        http.exact(
          serve(() => new Response(content)),
          1000,
          quiet,
        ),
      ),
    ).toMatch(words)
    let sent = 0
    const endless = serve(
      () =>
        new Response(
          new ReadableStream({
            pull: (stream) => {
              sent += 600
              stream.enqueue(new Uint8Array(600))
            },
          }),
        ),
    )
    expect(await fail(http.exact(endless, 1000, quiet))).toMatch(words)
    expect(sent).toBeLessThan(10_000_000)
  })

  test('that trickles is given up', async () => {
    const { url } = await raw((socket) => {
      socket.write(head('200 OK', 'Content-Length: 100000'))
      const timer = setInterval(() => socket.write('x'), 50)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await fail(http.exact(url, content.length, quiet))).toMatch(
      /^E_RELEASE: 127\.0\.0\.1:\d+ is too slow: \d bytes of coop\.zst have come/,
    )
  })

  test('that stops coming is given up', async () => {
    const { url, asked } = await raw((socket) => socket.write(head('200 OK', 'Content-Length: 100000')))
    expect(await fail(http.exact(url, content.length, quiet))).toMatch(/failed: nothing more came for 0\.3 s/)
    expect(asked.length).toBe(3)
  })
})

describe('a small file', () => {
  test('arrives', async () => {
    expect(
      Buffer.from(
        await http.small(
          serve(() => new Response('it')),
          100,
        ),
      ).toString(),
    ).toBe('it')
  })

  test('that is larger than allowed is refused, however long it goes on', async () => {
    const endless = serve(
      () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1000)) })),
    )
    expect(await fail(http.small(endless, 4096))).toMatch(
      /^E_RELEASE: http:.*coop\.zst is larger than 4096 bytes/,
    )
  })

  test('that trickles is given up', async () => {
    const { url } = await raw((socket) => {
      socket.write(head('200 OK', 'Content-Length: 1000'))
      const timer = setInterval(() => socket.write('x'), 50)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await fail(http.small(url, 4096))).toMatch(/is too slow/)
  })

  test('of a server that does not answer is given up', async () => {
    const { url } = await raw(quiet)
    expect(await fail(http.small(url, 4096))).toMatch(/failed: no answer came for 0\.3 s/)
  })

  test('is asked for again when the server is busy, and a missing one is not', async () => {
    let asked = 0
    const busy = serve(() => (++asked < 3 ? new Response('', { status: 503 }) : new Response('it')))
    expect(Buffer.from(await http.small(busy, 100)).toString()).toBe('it')
    asked = 0
    const missing = serve(() => {
      asked++
      return new Response('', { status: 404 })
    })
    expect(await fail(http.small(missing, 100))).toMatch(/^E_RELEASE: http:.* is not there \(404\)/)
    expect(asked).toBe(1)
    expect(
      await fail(
        http.small(
          serve(() => new Response('', { status: 403 })),
          100,
        ),
      ),
    ).toMatch(/answered 403/)
  })
})

describe('a redirect', () => {
  const to = (location: string) => () => new Response(null, { status: 302, headers: { location } })

  test('on this machine is followed', async () => {
    const there = serve(() => new Response('it'))
    expect(Buffer.from(await http.small(serve(to(there.href)), 100)).toString()).toBe('it')
  })

  test('to another machine without encryption is refused', async () => {
    expect(await fail(http.small(serve(to('http://releases.invalid/coop')), 100))).toMatch(
      /redirects to http:\/\/releases\.invalid, which is not encrypted/,
    )
    expect(await fail(http.small(serve(to('file:///etc/passwd')), 100))).toMatch(/which is not encrypted/)
  })

  test('in circles, or to nowhere, is an end', async () => {
    const circle: URL = serve(() => new Response(null, { status: 302, headers: { location: circle.href } }))
    expect(await fail(http.small(circle, 100))).toMatch(/redirects more than 8 times/)
    expect(
      await fail(
        http.small(
          serve(() => new Response(null, { status: 302 })),
          100,
        ),
      ),
    ).toMatch(/to nowhere/)
  })
})

test('without a network there is one try and one line', async () => {
  const { url } = await raw(quiet)
  for (const server of opened.splice(0)) server.stop()
  const begun = performance.now()
  expect(await fail(http.small(url, 100))).toMatch(
    /^E_RELEASE: 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\): offline, or the address is wrong/,
  )
  expect(await fail(http.small(new URL('https://releases.invalid/'), 100))).toMatch(
    /cannot be reached|no answer/,
  )
  expect(performance.now() - begun).toBeLessThan(3000)
})
