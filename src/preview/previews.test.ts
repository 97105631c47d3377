import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Front, fakeBox, front } from './testing.ts'

const shop = fakeBox('shop')
let proxy: Front
let back: Server
let backPort: number
let mine: { host: string; cookie: string }

const ask = (
  path: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Response> =>
  proxy.ask(mine.host, path, { ...init, headers: { cookie: mine.cookie, ...init.headers } })

beforeAll(async () => {
  proxy = front([shop, fakeBox('other')])
  back = createServer((request, response) => {
    const path = request.url ?? ''
    if (path === '/echo') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      request.pipe(response)
    } else if (path === '/hash') {
      const hash = createHash('sha256')
      request.on('data', (piece) => hash.update(piece)).on('end', () => response.end(hash.digest('hex')))
    } else if (path === '/big') {
      const piece = Buffer.alloc(100_000, 'coop ')
      let left = 300
      const more = (): void => {
        while (left-- > 0) if (!response.write(piece)) return void response.once('drain', more)
        response.end()
      }
      more()
    } else if (path === '/sse') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      request.on('close', () => {})
    } else if (path === '/early') {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.end('after hints')
    } else if (path === '/redirect') {
      response.writeHead(302, { location: `http://localhost:${backPort}/next?a=1` }).end()
    } else if (path === '/cookies') {
      response.setHeader('set-cookie', [
        'session=1; HttpOnly',
        `coop-${proxy.port}=stolen`,
        'wide=1; Domain=localhost',
        '=coop-8888=x',
      ])
      response.setHeader('strict-transport-security', 'max-age=1')
      response.setHeader('clear-site-data', '"*"')
      response.setHeader('secure-session-registration', '(ES256);path="/dbsc"')
      response.setHeader('keep-alive', 'timeout=5')
      response.end('ok')
    } else {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ method: request.method, url: path, headers: request.headers }))
    }
  })
  await new Promise<void>((resolve) => back.listen(0, '127.0.0.1', resolve))
  backPort = (back.address() as AddressInfo).port
  mine = await proxy.enter('one', shop, backPort)
})

afterAll(() => {
  proxy[Symbol.dispose]()
  back.close()
})

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
}
const seen = async (answer: Response): Promise<Seen> => (await answer.json()) as Seen

describe('a request', () => {
  test('reaches the server under the name that it knows itself by', async () => {
    const shown = `http://${mine.host}`
    const headers = {
      origin: shown,
      referer: `${shown}/page?x`,
      'x-forwarded-for': '1.2.3.4',
      connection: 'x-hop',
      'x-hop': '1',
    }
    const { headers: got, url } = await seen(await ask('/a%2Fb//c?d=%20e', { headers }))
    expect(url).toBe('/a%2Fb//c?d=%20e')
    expect(got.host).toBe(`localhost:${backPort}`)
    expect(got.origin).toBe(`http://localhost:${backPort}`)
    expect(got.referer).toBe(`http://localhost:${backPort}/page?x`)
    expect(got['x-forwarded-for']).toBeUndefined()
    expect(got['x-hop']).toBeUndefined()
  })

  test('brings no cookie of coop', async () => {
    const cookie = `a=1; ${mine.cookie}; coop-${proxy.port}=secret; b=2`
    const { headers } = await seen(await ask('/', { headers: { cookie } }))
    expect(headers.cookie).toBe('a=1; b=2')
  })

  test('streams its body, with and without a length', async () => {
    const body = Buffer.alloc(5_000_000, 'upload ')
    const hash = createHash('sha256').update(body).digest('hex')
    expect(await (await ask('/hash', { method: 'POST', body })).text()).toBe(hash)
    const stream = new Blob([body]).stream()
    expect(await (await ask('/hash', { method: 'PUT', body: stream })).text()).toBe(hash)
    const echoed = await (await ask('/echo', { method: 'POST', body })).bytes()
    expect(createHash('sha256').update(echoed).digest('hex')).toBe(hash)
  })

  test('of HEAD gets the length and no body', async () => {
    const answer = await ask('/', { method: 'HEAD' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('')
  })
})

describe('a response', () => {
  test('streams, whatever its size', async () => {
    const bytes = await (await ask('/big')).bytes()
    const wanted = createHash('sha256').update(Buffer.alloc(30_000_000, 'coop ')).digest('hex')
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(wanted)
  })

  test('arrives while the server still writes it', async () => {
    const stop = new AbortController()
    const answer = await ask('/sse', { signal: stop.signal })
    const reader = answer.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    expect(Buffer.from(value ?? []).toString()).toBe('data: first\n\n')
    stop.abort()
  })

  test('comes after interim ones', async () => {
    expect(await (await ask('/early')).text()).toBe('after hints')
  })

  test('keeps redirects within the preview', async () => {
    expect((await ask('/redirect')).headers.get('location')).toBe(`http://${mine.host}/next?a=1`)
  })

  test('sets no cookie of coop and none for other hosts, and acts on no other port', async () => {
    const { headers } = await ask('/cookies')
    expect(headers.getSetCookie()).toEqual(['session=1; HttpOnly'])
    for (const name of [
      'strict-transport-security',
      'clear-site-data',
      'secure-session-registration',
      'keep-alive',
    ])
      expect(headers.get(name)).toBeNull()
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })
})

describe('access', () => {
  const closed = async (answer: Promise<Response>): Promise<void> => {
    const { status } = await answer
    expect(status).toBe(403)
  }

  test('needs a cookie of this preview', async () => {
    expect((await ask('/')).status).toBe(200)
    await closed(proxy.ask(mine.host, '/'))
    const elsewhere = await proxy.enter('one', fakeBox('other'), backPort)
    expect((await proxy.ask(elsewhere.host, '/', { headers: { cookie: elsewhere.cookie } })).status).toBe(200)
    await closed(proxy.ask(mine.host, '/', { headers: { cookie: elsewhere.cookie } }))
    const otherPort = await proxy.enter('one', shop, 1)
    await closed(proxy.ask(mine.host, '/', { headers: { cookie: otherPort.cookie } }))
    const [name, value = ''] = mine.cookie.split('=')
    await closed(proxy.ask(mine.host, '/', { headers: { cookie: `${name}=two.${value.split('.')[1]}` } }))
  })

  test('is opened once by a ticket, at its own host', async () => {
    const url = new URL(
      proxy.previews.open('one', `localhost:${proxy.port}`, { box: shop, port: backPort, plain: false }),
    )
    const path = url.pathname + url.search
    const wrong = new URL(
      proxy.previews.open('one', `localhost:${proxy.port}`, { box: shop, port: backPort, plain: false }),
    )
    await closed(proxy.ask(`${backPort}.other.localhost:${proxy.port}`, wrong.pathname + wrong.search))
    await closed(proxy.ask(wrong.host, wrong.pathname + wrong.search)) // it was shown elsewhere
    const first = await proxy.ask(url.host, path)
    expect(first.status).toBe(303)
    expect(first.headers.get('location')).toBe('/')
    expect(first.headers.get('set-cookie')).toContain('HttpOnly; SameSite=Lax; Path=/')
    await closed(proxy.ask(url.host, path))
  })

  test('ends with the browser, also what is under way', async () => {
    const two = await proxy.enter('two', shop, backPort)
    const headers = { cookie: two.cookie }
    const answer = await proxy.ask(two.host, '/sse', { headers })
    const reader = answer.body?.getReader()
    await reader?.read()
    proxy.browsers.revoke('two')
    const end = await reader?.read().then(
      ({ done }) => done,
      () => true,
    )
    expect(end).toBe(true)
    await closed(proxy.ask(two.host, '/', { headers }))
  })

  test('is for exact hosts', async () => {
    for (const host of [
      `${backPort}.shop.localhost.evil.example:${proxy.port}`,
      `evil.example:${proxy.port}`,
      `${backPort}.shop.localhost.:${proxy.port}`,
    ])
      expect(await (await proxy.ask(host, '/', { headers: { cookie: mine.cookie } })).text()).toBe(
        'the page of coop',
      )
    await closed(
      proxy.ask(`0${backPort}.shop.localhost:${proxy.port}`, '/', { headers: { cookie: mine.cookie } }),
    )
    const raw = await fetch(`http://127.0.0.1:${proxy.port}/`, {
      headers: { host: `${backPort}.shop.localhost:1`, cookie: mine.cookie },
    })
    expect(raw.status).toBe(403)
  })

  test('is closed to other pages and to service workers', async () => {
    const shown = `http://${mine.host}`
    expect((await ask('/', { method: 'POST', headers: { origin: shown } })).status).toBe(200)
    await closed(ask('/', { method: 'POST', headers: { origin: 'http://evil.example' } }))
    await closed(ask('/', { method: 'POST', headers: { origin: 'null' } }))
    await closed(ask('/', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }))
    await closed(ask('/sw.js', { headers: { 'service-worker': 'script' } }))
    const visit = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    expect((await ask('/', { headers: visit })).status).toBe(200)
    await closed(ask('/', { headers: { ...visit, 'sec-fetch-dest': 'iframe' } }))
  })
})

describe('a port of its own', () => {
  test('serves one preview and keeps its cookies apart', async () => {
    const url = new URL(
      proxy.previews.open('one', `localhost:${proxy.port}`, { box: shop, port: backPort, plain: true }),
    )
    expect(url.hostname).toBe('127.0.0.1')
    const entered = await proxy.ask(url.host, url.pathname + url.search)
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
    const answer = await proxy.ask(url.host, '/cookies', { headers: { cookie } })
    const prefix = `coop.p${url.port}.`
    expect(answer.headers.getSetCookie()).toEqual([`${prefix}session=1; HttpOnly`])
    const cookies = `${cookie}; ${prefix}session=1; coop.p1.session=2; plain=3`
    const { headers } = await seen(await proxy.ask(url.host, '/', { headers: { cookie: cookies } }))
    expect(headers.cookie).toBe('session=1')
    expect((await proxy.ask(`localhost:${url.port}`, '/', { headers: { cookie } })).status).toBe(421)
    expect((await proxy.ask(url.host, '/', { headers: { cookie: mine.cookie } })).status).toBe(403)
  })
})
