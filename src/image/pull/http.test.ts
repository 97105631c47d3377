import { describe, expect, test } from 'bun:test'
import { CoopError } from '../../core/errors.ts'
import { Http, isLoopback, pieces, readBody, retryAfter, Temporary } from './http.ts'

const http = new Http({ configDir: '/nonexistent', environment: {} })
const ADDRESS = '127.0.0.1'

/** A server that records its requests. */
function server(answer: (request: Request, url: URL) => Response | Promise<Response>) {
  const asked: { method: string; path: string; headers: Record<string, string>; body: string }[] = []
  const bun = Bun.serve({
    hostname: ADDRESS,
    port: 0,
    async fetch(request) {
      const url = new URL(request.url)
      const headers = Object.fromEntries(request.headers)
      asked.push({ method: request.method, path: url.pathname, headers, body: await request.text() })
      return answer(request, url)
    },
  })
  return { asked, base: `http://${ADDRESS}:${bun.port}`, [Symbol.dispose]: () => void bun.stop(true) }
}

/** A server that sends these bytes to each client and hangs up. */
function raw(bytes: string) {
  const bun = Bun.listen({
    hostname: ADDRESS,
    port: 0,
    socket: {
      data(socket) {
        socket.write(bytes)
        socket.end()
      },
    },
  })
  return { base: `http://${ADDRESS}:${bun.port}`, [Symbol.dispose]: () => bun.stop(true) }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

const to = (location: string, status = 307): Response => new Response('', { status, headers: { location } })

describe('trying again', () => {
  const soon = (): Temporary => new Temporary('not now', 0)

  test('ends with the first that works', async () => {
    let tries = 0
    const result = await http.retry('it', async () => {
      if (++tries < 4) throw soon()
      return 'done'
    })
    expect([result, tries]).toEqual(['done', 4])
  })

  test('ends after six, with what the last one was and what is kept', async () => {
    let tries = 0
    const error = await failure(
      http.retry('reading it', async () => {
        throw new Temporary(`broken ${++tries}`, 0)
      }),
    )
    expect(error).toMatchObject({
      code: 'E_IMAGE',
      message: 'reading it failed: broken 6 (tried 6 times)',
      hint: expect.stringContaining('is kept'),
    })
  })

  test('is not for what another attempt does not change', async () => {
    let tries = 0
    const error = await failure(
      http.retry('it', async () => {
        tries++
        throw new CoopError('E_IMAGE', 'there is no such image')
      }),
    )
    expect([tries, (error as Error).message]).toEqual([1, 'there is no such image'])
  })

  test.each([429, 500, 503])('is for an answer of %d, when the server says', async (status) => {
    using busy = server(() => new Response('', { status, headers: { 'retry-after': '3' } }))
    const error = await failure(http.fetch(busy.base))
    expect(error).toBeInstanceOf(Temporary)
    expect(error).toMatchObject({ delayMs: 3000 })
  })

  test.each([200, 401, 403, 404, 416])(
    'is not for an answer of %d, which is given as it is',
    async (status) => {
      using plain = server(() => new Response('', { status }))
      expect((await http.fetch(plain.base)).status).toBe(status)
    },
  )

  test('of a refused connection is short, said once, and ends with what to look at', async () => {
    const gone = server(() => new Response(''))
    gone[Symbol.dispose]()
    const said: string[] = []
    const patient = new Http({
      configDir: '/nonexistent',
      environment: {},
      onRetry: (reason) => said.push(reason),
    })
    const host = new URL(gone.base).host
    const began = performance.now()
    const error = await failure(patient.retry('reading it', () => patient.fetch(gone.base)))
    expect(performance.now() - began).toBeLessThan(5500)
    expect(error).toMatchObject({
      code: 'E_IMAGE',
      message: `reading it failed: ${host} refuses the connection (tried 4 times)`,
      hint: 'check that the registry runs and uses this port',
    })
    expect(said).toEqual([`${host} refuses the connection`])
  })

  test('is not for a server that does not speak TLS', async () => {
    using plain = server(() => new Response(''))
    const error = await failure(http.fetch(plain.base.replace('http:', 'https:')))
    expect(error).toMatchObject({
      message: `${new URL(plain.base).host} does not speak https`,
      hint: expect.stringContaining('plain HTTP is for registries on this machine'),
    })
  })

  test('is for a server that is not there, and for an answer that breaks off', async () => {
    const gone = server(() => new Response(''))
    gone[Symbol.dispose]()
    expect(await failure(http.fetch(gone.base))).toBeInstanceOf(Temporary)
    using cut = raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this')
    const response = await http.fetch(cut.base)
    expect(await failure(readBody(response, 1000, 'it'))).toBeInstanceOf(Temporary)
  })

  test.each([
    [null, undefined],
    ['7', 7000],
    ['0', 0],
    ['86400', 20_000], // nobody waits for a day
    ['Thu, 01 Jan 1970 00:00:05 GMT', 4000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('waits as Retry-After says: %p', (header, ms) => {
    expect(retryAfter(header, 1000)).toBe(ms as number)
  })
})

describe('a redirect', () => {
  test('keeps what was asked, and the login at the same place only', async () => {
    using other = server(() => new Response('there'))
    using first = server((_, url) => {
      if (url.pathname === '/a') return to('b?x=1')
      return to(`${other.base}/c`)
    })
    const request = { headers: { range: 'bytes=5-' }, authorization: 'Basic x' }
    expect(await (await http.fetch(`${first.base}/a`, request)).text()).toBe('there')
    expect(first.asked.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/a', 'Basic x'],
      ['/b', 'Basic x'],
    ])
    expect(other.asked[0]?.headers).toMatchObject({ range: 'bytes=5-' })
    expect(other.asked[0]?.headers).not.toHaveProperty('authorization')
  })

  test.each([301, 302, 303, 307, 308])('never takes a login in a body elsewhere: %d', async (status) => {
    using thief = server(() => Response.json({ token: 'x' }))
    using first = server(() => to(`${thief.base}/token`, status))
    const request = { method: 'POST', body: 'refresh_token=secret' } as const
    expect(await failure(http.fetch(first.base, request))).toMatchObject({ code: 'E_IMAGE' })
    expect(first.asked.map(({ body }) => body)).toEqual(['refresh_token=secret']) // positive control
    expect(thief.asked).toEqual([])
  })

  test('to nowhere is an error', async () => {
    using lost = server(() => new Response('', { status: 302 }))
    expect(await failure(http.fetch(lost.base))).toMatchObject({
      message: expect.stringContaining('nowhere'),
    })
  })
})

describe('an address', () => {
  test.each([
    'http://r.example/v2/',
    'http://127.0.0.1.r.example/',
    'http://localhost.r.example/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'http://user:pass@127.0.0.1/',
    'https://user@r.example/',
    'not one',
  ])('is not asked: %s', async (address) => {
    expect(await failure(http.fetch(address))).toMatchObject({ code: 'E_IMAGE' })
  })

  test('of this machine is not asked when another machine has named it', async () => {
    using local = server(() => Response.json({ access_token: 'of a service of this machine' }))
    const address = `${local.base}/token`
    expect(await failure(http.fetch(address, { namedBy: 'https://r.example/v2/' }))).toMatchObject({
      message: expect.stringContaining('without encryption'),
    })
    expect(local.asked).toEqual([])
    expect((await http.fetch(address, { namedBy: 'http://127.0.0.1:5000/v2/' })).status).toBe(200)
  })

  test.each([
    ['localhost', true],
    ['a.localhost', true],
    ['127.9.9.9', true],
    ['[::1]', true],
    ['127.0.0.1.evil.invalid', false],
    ['localhost.evil.invalid', false],
    ['evillocalhost', false],
    ['0.0.0.0', false],
    ['10.0.0.1', false],
  ])('%s is this machine: %p', (host, expected) => {
    expect(isLoopback(host)).toBe(expected)
  })
})

describe('a body', () => {
  test('is given as it is, not unpacked: its digest is of the packed bytes', async () => {
    using plain = server((request) => new Response(request.headers.get('accept-encoding')))
    expect((await readBody(await http.fetch(plain.base), 100, 'it')).toString()).toBe('identity')
  })

  test('that is too large is an error at the first byte too many, however long it goes on', async () => {
    let sent = 0
    using endless = server(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              sent++
              controller.enqueue(new Uint8Array(1000))
            },
          }),
        ),
    )
    const error = await failure(readBody(await http.fetch(endless.base), 5000, 'the manifest'))
    expect(error).toMatchObject({ code: 'E_IMAGE', message: 'the manifest is larger than 5000 bytes' })
    expect(sent).toBeGreaterThan(5)
    using exact = server(() => new Response(new Uint8Array(5000)))
    expect(await readBody(await http.fetch(exact.base), 5000, 'it')).toHaveLength(5000)
  })

  test('that nobody reads to its end is given up', async () => {
    const cancelled = Promise.withResolvers<void>()
    using endless = server(
      () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              controller.enqueue(new Uint8Array(1000))
              await Bun.sleep(0)
            },
            cancel: () => cancelled.resolve(),
          }),
        ),
    )
    for await (const _ of pieces(await http.fetch(endless.base), 'it')) break
    await cancelled.promise
  })
})
