/** Previews of boxes' ports: from a page that is signed in to a server in a real box, and every way around that. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { everyone, needed } from '../escape/support.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { fieldsOf, rawRequest, type Served, serve, signIn, WebPage } from '../harness/web.ts'
import { addressOf, ask, enter, type Preview, servingBox } from './preview-support.ts'

interface Said {
  readonly file: string
  readonly url: string
  readonly headers: Record<string, string>
}
const said = async (answer: Response): Promise<Said> => (await answer.json()) as Said

/** A WebSocket to a preview; resolves with its first message, or undefined if it was refused or ended first. */
async function echoed(
  served: Served,
  { host, cookie }: Preview,
  headers: Record<string, string> = {},
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const options = { headers: { host, cookie, origin: `http://${host}`, ...headers } }
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/hmr`, options as unknown as string[])
  socket.onopen = () => socket.send('hello')
  socket.onmessage = ({ data }) => resolve(String(data))
  socket.onclose = () => resolve(undefined)
  const got = await promise
  socket.close()
  return got
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'node')

  test.skipIf(box.missing)(
    `a page and a WebSocket of a box come through, in both networks${box.note}`,
    async () => {
      await using t = await scratch(invoker)
      const ports = {
        shared: await servingBox(t, 'shared', 'host'),
        alone: await servingBox(t, 'alone', 'none', '::'),
      }
      const served = await serve(t)
      using page = await WebPage.open(served, await signIn(served))
      for (const name of ['shared', 'alone'] as const) {
        const port = ports[name]
        const listed = await page.call({ do: 'preview.list', box: name })
        expect(listed).toEqual([{ port, process: expect.stringMatching(/^(?:node|MainThread)$/) }])
        const preview = await enter(served, await addressOf(page, name, port))
        expect(preview.host).toBe(`${port}.${name}.localhost:${served.port}`)
        const { file, headers } = await said(
          await preview.ask('/a?b=c', { headers: { cookie: `${preview.cookie}; x=1` } }),
        )
        expect(file).toBe(`port-${name}`)
        expect(headers).toMatchObject({ host: `localhost:${port}`, cookie: 'x=1' })
        const body = Buffer.alloc(20_000_000)
        expect(await (await preview.ask('/count', { method: 'POST', body })).text()).toBe('20000000')
        expect(await echoed(served, preview)).toBe('hello')
      }
    },
  )
})

const can = needed(ordinary, 'node')

describe.skipIf(can.missing)(`access${can.note}`, () => {
  test('is for browsers that are signed in, each by a ticket of its own, once', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'none')
    const served = await serve(t)
    const credentials = await signIn(served)
    using page = await WebPage.open(served, credentials)
    const host = `${port}.box.localhost:${served.port}`
    const status = async (cookie: string, path = '/', at = host): Promise<number> =>
      (await ask(served, at, path, { headers: { cookie } })).status

    const url = await addressOf(page, 'box', port)
    const preview = await enter(served, url)
    expect(await status(preview.cookie)).toBe(200) // the control
    expect(await status(preview.cookie, url.pathname + url.search)).toBe(403) // used
    expect(await status('')).toBe(403)
    expect(await status(`${credentials.cookie}`)).toBe(403) // of the page, which its host never gets
    expect(await status(preview.cookie.slice(0, -3))).toBe(403)
    expect(await status(preview.cookie, '/', `${port + 1}.box.localhost:${served.port}`)).toBe(403)
    expect(await status(preview.cookie, '/', `${port}.other.localhost:${served.port}`)).toBe(403)
    expect(await status(preview.cookie, '/', `${port}.box.localhost`)).toBe(403)
    for (const rebound of ['evil.example', `${port}.box.localhost.evil.example`, `${port}.box.evil.example`])
      expect(await status(preview.cookie, '/', `${rebound}:${served.port}`)).toBe(421)

    // Another browser, and this one's end.
    const other = await signIn(served)
    using otherPage = await WebPage.open(served, other, { client: 2 })
    const theirs = await enter(served, await addressOf(otherPage, 'box', port))
    const mixed = `${preview.cookie.split('.')[0]}.${theirs.cookie.split('.')[1]}`
    expect(await status(mixed)).toBe(403)
    const stream = await preview.ask('/forever')
    const reader = stream.body?.getReader()
    await reader?.read()
    await t.coop(['serve', 'revoke', credentials.id])
    const end = await reader?.read().then(
      ({ done }) => done,
      () => true,
    )
    expect(end).toBe(true)
    expect(await status(preview.cookie)).toBe(403)
    expect(await status(theirs.cookie)).toBe(200)
    await t.coop(['serve', 'revoke', other.id])
    expect(await status(theirs.cookie)).toBe(403)
  })

  test('survives the daemon, and ends with the box', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'none')
    const served = await serve(t)
    using page = await WebPage.open(served, await signIn(served))
    const preview = await enter(served, await addressOf(page, 'box', port))
    const { pid } = JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await waitUntil(async () => (await preview.ask('/')).status === 200, 'the preview by the next daemon')
    await t.coop(['kill', '-f', 'box'])
    expect((await preview.ask('/')).status).toBe(403)
    await servingBox(t, 'box', 'none') // another one with its name
    expect((await preview.ask('/')).status).toBe(403)
  })

  test('ends when a program of the host takes the port of the box', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'host')
    const served = await serve(t)
    using page = await WebPage.open(served, await signIn(served))
    const preview = await enter(served, await addressOf(page, 'box', port))
    expect((await said(await preview.ask('/'))).file).toBe('port-box')
    await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', 'kill -KILL $(pidof node)'])
    const socket = { open: (one: Bun.Socket) => void one.end('HTTP/1.1 200 OK\r\n\r\nstolen'), data() {} }
    const taken = await waitUntil(() => Bun.listen({ hostname: '127.0.0.1', port, socket }), 'the port')
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('stolen') // the control
    for (let i = 0; i < 3; i++) {
      const answer = await preview.ask('/')
      expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('Nothing listens')])
    }
    taken.stop(true)
  })

  test('is kept from a program that takes the port at the other address of localhost', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'host')
    const served = await serve(t)
    const bind = (at: number): Promise<string> =>
      t
        .coop([
          'exec',
          '-n',
          'box',
          '--',
          'node',
          '-e',
          `require('net').createServer().on('error', (e) => { console.log(e.code); process.exit() }).listen(${at}, '::1', () => { console.log('bound'); process.exit() })`,
        ])
        .then(({ stdout }) => stdout.trim())
    expect(await bind(served.port)).toBe('EADDRINUSE')
    expect(await bind(port)).toBe('bound') // the control: that address can be taken where nobody is
    const answer = await fetch(`http://[::1]:${served.port}/`, {
      headers: { host: new URL(served.origin).host },
    })
    expect(answer.status).toBe(200)
  })

  test('is not for browsers that may only look', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'none')
    const served = await serve(t)
    const credentials = await signIn(served)
    const preview = await enter(served, await addressOf(await WebPage.open(served, credentials), 'box', port))
    expect((await preview.ask('/')).status).toBe(200)
    await t.coop(['serve', '--stop'])
    const readonly = await serve(t, '--readonly', '--port', String(served.port))
    expect((await preview.ask('/')).status).toBe(403)
    using page = await WebPage.open(readonly, await signIn(readonly), { client: 3 })
    expect(await page.call({ do: 'preview.list', box: 'box' })).toMatchObject([{ port }])
    expect(page.call({ do: 'preview.open', box: 'box', port })).rejects.toThrow('only look')
  })
})

describe.skipIf(can.missing)(`a previewed page${can.note}`, () => {
  test('reaches neither coop’s own API nor its cookie, nor another preview', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'host')
    const other = await servingBox(t, 'other', 'host')
    const served = await serve(t)
    const credentials = await signIn(served)
    using page = await WebPage.open(served, credentials)
    const preview = await enter(served, await addressOf(page, 'box', port))
    const target = await enter(served, await addressOf(page, 'other', other))
    const shown = `http://${preview.host}`

    // At its own host there is no API, whatever it sends along.
    const cookie = `${credentials.cookie}; ${preview.cookie}`
    const api = await preview.ask('/api/session', { headers: { ...fieldsOf(credentials, shown), cookie } })
    expect((await said(api)).url).toBe('/api/session') // the box's server answers
    // At coop's host, as that page would ask: the browser adds its origin, and perhaps the cookie.
    const fields = fieldsOf(credentials, shown)
    const at = new URL(served.origin).host
    expect(
      (await ask(served, at, '/api/session', { headers: fieldsOf(credentials, served.origin) })).status,
    ).toBe(200)
    expect((await ask(served, at, '/api/sign-out', { method: 'POST', headers: fields })).status).toBe(403)
    expect(WebPage.open(served, credentials, { headers: { origin: shown } })).rejects.toThrow()
    // At another preview.
    for (const init of [{ method: 'POST' }, { method: 'GET' }, { method: 'OPTIONS' }])
      expect((await target.ask('/', { ...init, headers: { origin: shown } })).status).toBe(403)
    expect(await echoed(served, target, { origin: shown })).toBeUndefined()
    expect(await echoed(served, target)).toBe('hello') // the control

    // Cookies: the box sees none of coop's, and can set none of its names.
    const cookies = `${credentials.cookie}; ${preview.cookie}; app=2`
    const answer = await preview.ask('/', {
      headers: { cookie: cookies, 'x-serve-port': String(served.port) },
    })
    expect(answer.headers.getSetCookie()).toEqual(['app=1'])
    expect((await said(answer)).headers.cookie).toBe('app=2')
    expect(readFileSync(join(t.workspace, 'port-box.cookies'), 'utf8')).not.toContain('coop')
  })

  test('gets no request that could be read as two', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'none')
    const served = await serve(t)
    using page = await WebPage.open(served, await signIn(served))
    const { host, cookie } = await enter(served, await addressOf(page, 'box', port))
    const send = (fields: string, body: string): Promise<string> =>
      rawRequest(
        served.port,
        `POST /smuggled HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n${fields}\r\n\r\n${body}`,
      )
    expect(await send('Content-Length: 2', 'hi')).toStartWith('HTTP/1.1 200')
    const seen = (): number => readFileSync(join(t.workspace, 'port-box.cookies'), 'utf8').split('\n').length
    const before = seen()
    for (const [fields, body] of [
      ['Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n'],
      ['Content-Length: 2\r\nContent-Length: 3', 'hi!'],
      ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'],
      ['Transfer-Encoding : chunked', '0\r\n\r\n'],
      ['X: a\nTransfer-Encoding: chunked', '0\r\n\r\n'],
      [`Host: ${host}`, ''],
    ] as const)
      expect(await send(fields, body)).not.toStartWith('HTTP/1.1 200')
    expect(seen()).toBe(before)
  })

  test('has a port of its own for a phone, over TLS, with cookies of its own', async () => {
    await using t = await scratch(ordinary)
    const port = await servingBox(t, 'box', 'none')
    const served = await serve(t, '--host', '127.0.0.1', '--tls')
    const credentials = await signIn(served)
    using page = await WebPage.open(served, credentials)
    const url = await addressOf(page, 'box', port, { plain: true })
    expect(url.protocol).toBe('https:')
    expect(url.hostname).toBe('127.0.0.1')
    const preview = await enter(served, url)
    const cookie = `${credentials.cookie}; ${preview.cookie}; coop.p${url.port}.app=1; coop.p1.app=2`
    const { file, headers } = await said(await preview.ask('/', { headers: { cookie } }))
    expect(file).toBe('port-box')
    expect(headers.cookie).toBe('app=1')
    expect((await ask(served, `evil.example:${url.port}`, '/', { headers: { cookie } })).status).toBe(421)
    expect((await ask(served, url.host, '/', { headers: { cookie: credentials.cookie } })).status).toBe(403)
    await t.coop(['serve', 'revoke', credentials.id])
    expect((await preview.ask('/')).status).toBe(403)
  })
})
