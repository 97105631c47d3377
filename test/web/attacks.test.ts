/** What must not open the page: each attack beside the same request of a browser that may. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeJson, encodeShown } from '../../src/protocol/frames.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, ordinary, solo } from '../harness/users.ts'
import {
  type Credentials,
  fieldsOf,
  rawRequest,
  type Served,
  serve,
  signIn,
  WebPage,
} from '../harness/web.ts'
import { needed } from '../integration/support.ts'

const can = needed(ordinary)

describe.skipIf(can.missing)(`an attack on the page${can.note}`, () => {
  let t: Scratch
  let served: Served
  let browser: Credentials
  beforeAll(async () => {
    t = await scratch(ordinary)
    expect(await t.coop(['-d', '-n', 'target', '--agent', 'cat'])).toMatchObject({ code: 0 })
    served = await serve(t)
    browser = await signIn(served)
  })
  afterAll(async () => {
    await t[Symbol.asyncDispose]()
  })

  const session = (headers: Record<string, string>): Promise<number> =>
    fetch(`${served.origin}/api/session`, { headers }).then(({ status }) => status)
  const opens = (credentials: Credentials, headers: Record<string, string> = {}): Promise<boolean> =>
    WebPage.open(served, credentials, { headers }).then(
      (page) => {
        page[Symbol.dispose]()
        return true
      },
      () => false,
    )

  test('of nobody, of a cookie alone, of a key alone, and of others’ secrets', async () => {
    const { cookie, key } = browser
    expect(await session({ cookie, 'x-coop-key': key })).toBe(200) // the positive control
    expect(await session({})).toBe(401)
    expect(await session({ cookie })).toBe(401)
    expect(await session({ 'x-coop-key': key })).toBe(401)
    expect(await session({ cookie: `${cookie}x`, 'x-coop-key': key })).toBe(401)
    expect(await session({ cookie, 'x-coop-key': served.token })).toBe(401)
    const other = await signIn(served)
    expect(await session({ cookie, 'x-coop-key': other.key })).toBe(401)
    // A page beside may plant more cookies of the name: they open nothing, and lock nobody out.
    const name = cookie.slice(0, cookie.indexOf('='))
    expect(await session({ cookie: `${name}=planted; ${cookie}; ${name}=`, 'x-coop-key': key })).toBe(200)
    expect(await session({ cookie: `${name}=planted; ${other.cookie}`, 'x-coop-key': key })).toBe(401)
    expect(await opens(browser)).toBe(true)
    for (const credentials of [
      { ...browser, key: '' },
      { ...browser, key: other.key },
      { ...browser, cookie: '' },
    ])
      expect(await opens(credentials)).toBe(false)
  })

  test.skipIf(!solo || solo.uid === ordinary.uid)(
    'of another user of the machine, who has a browser’s secrets',
    async () => {
      const { cookie, key } = browser
      const { host, hostname, port } = new URL(served.origin)
      const head = `GET /api/session HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nX-Coop-Key: ${key}\r\nConnection: close\r\n\r\n`
      const status = async (invoker: Invoker, address: string): Promise<string> => {
        const ask = `exec 3<>/dev/tcp/${address}/${port}; printf %s "$0" >&3; head -1 <&3`
        const asked = Bun.spawn(asInvoker(invoker, ['bash', '-c', ask, head]), {
          cwd: '/',
          stderr: 'inherit',
        })
        return (await new Response(asked.stdout).text()).trim()
      }
      for (const address of [hostname, '127.0.0.1', '::1']) {
        expect(await status(ordinary, address)).toBe('HTTP/1.1 200 OK')
        expect(await status(solo as Invoker, address)).toBe('HTTP/1.1 403 Forbidden')
      }
    },
  )

  test('of a page of another origin', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      `http://localhost:${served.port + 1}`,
      `https://127.0.0.1:${served.port}`,
    ])
      expect([origin, await opens(browser, { origin })]).toEqual([origin, false])
    expect(await opens(browser, { 'sec-fetch-site': 'cross-site' })).toBe(false)
    expect(await opens(browser, { 'sec-fetch-site': 'same-site' })).toBe(false)
    const answer = await fetch(`${served.origin}/api/sign-in`, {
      method: 'POST',
      headers: { origin: 'http://evil.example' },
      body: JSON.stringify({ token: served.token }),
    })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('set-cookie')).toBeNull()
    const signOut = {
      method: 'POST',
      headers: { ...fieldsOf(browser, served.origin), origin: 'http://evil.example' },
    }
    expect((await fetch(`${served.origin}/api/sign-out`, signOut)).status).toBe(403)
    expect(await session(fieldsOf(browser, served.origin))).toBe(200)
  })

  test('by a name that leads here (DNS rebinding)', async () => {
    const { cookie, key } = browser
    const ask = async (host: string, path = '/api/session'): Promise<string> => {
      const fields = [`Host: ${host}`, `Cookie: ${cookie}`, `X-Coop-Key: ${key}`, 'Connection: close']
      const text = await rawRequest(served.port, `GET ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
      return text.slice(9, 12)
    }
    expect(await ask(`127.0.0.1:${served.port}`)).toBe('200')
    expect(await ask(`localhost:${served.port}`)).toBe('200')
    for (const host of [
      `evil.example:${served.port}`,
      'evil.example',
      '127.0.0.1',
      '127.0.0.1:1',
      `127.0.0.1.evil.example:${served.port}`,
      `127.0.0.1:${served.port}@evil.example`,
      `127.0.0.1:${served.port}, evil.example`,
      `[::1`,
      '',
    ]) {
      expect([host, await ask(host)]).toEqual([host, expect.stringMatching(/^4(?:00|21)$/)])
      expect([host, await ask(host, '/')]).toEqual([host, expect.stringMatching(/^4(?:00|21)$/)])
    }
    const none = await rawRequest(served.port, 'GET / HTTP/1.0\r\n\r\n')
    expect(none.slice(9, 12)).toMatch(/^4(?:00|21)$/)
  })

  test('by guessing: the address is locked out, the signed-in browser is not', async () => {
    await using own = await scratch(ordinary)
    const place = await serve(own)
    const good = await signIn(place)
    const guess = (token: string): Promise<Response> =>
      fetch(`${place.origin}/api/sign-in`, {
        method: 'POST',
        headers: { origin: place.origin },
        body: JSON.stringify({ token }),
      })
    const answers: number[] = []
    for (let i = 0; i < 6; i++) answers.push((await guess(`wrong-${i}-xxxxxxxxxxxxxxxx`)).status)
    expect(answers).toEqual([401, 401, 401, 401, 401, 429])
    const locked = await guess(place.token)
    expect(locked.status).toBe(429)
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0)
    using page = await WebPage.open(place, good)
    expect(await page.call({ do: 'box.list' })).toEqual([])
  })

  test('with a stolen cookie and key, once the browser is signed out', async () => {
    const stolen = await signIn(served)
    using page = await WebPage.open(served, stolen)
    expect(await t.coop(['serve', 'revoke', stolen.id])).toMatchObject({
      code: 0,
      stdout: 'signed out: 1 browser\n',
    })
    expect(await page.isClosed()).toMatchObject({ code: 4401 })
    expect(await session(fieldsOf(stolen, served.origin))).toBe(401)
    expect(await opens(stolen)).toBe(false)
    // The same from the page itself.
    const own = await signIn(served)
    const answer = await fetch(`${served.origin}/api/sign-out`, {
      method: 'POST',
      headers: fieldsOf(own, served.origin),
    })
    expect(answer.status).toBe(204)
    expect(await opens(own)).toBe(false)
    expect(await opens(browser)).toBe(true)
  })

  test('with calls that are not for browsers', async () => {
    using page = await WebPage.open(served, browser)
    for (const call of [
      { do: 'system.shutdown' },
      { do: 'serve.status' },
      { do: 'serve.stop' },
      { do: 'serve.browsers' },
      { do: 'serve.revoke', all: true },
      { do: 'serve.start', host: '127.0.0.1', port: 1, tls: false, readonly: false, environment: {} },
      { do: 'exec', box: 'target', cwd: '/', command: { command: ['id'], token: 'x' } },
      {
        do: 'run',
        box: { workspace: t.workspace, environment: {} },
        command: { command: ['id'], token: 'x' },
      },
      { do: 'rejoin', token: 'x' },
      { do: 'copy.begin', box: 'target', cwd: '/', descriptors: 'x' },
      { do: 'pty.direct', descriptors: 'x' },
      { do: 'image.publish', source: 'target', cwd: '/', reference: 'x', force: true },
    ])
      expect([call.do, await page.call(call).catch(({ message }) => message)]).toEqual([
        call.do,
        `browsers may not ask for ${call.do}`,
      ])
    page.send({ type: 'retire' })
    expect(await page.call({ do: 'box.list' })).toHaveLength(1)
    expect((await t.coop(['ls'])).stdout).toContain('target')
  })

  const MISUSES: readonly [string, (page: WebPage) => void][] = [
    ['a text', (page) => page.write('{"type":"hello"}')],
    ['a frame that is no frame', (page) => page.write(Buffer.from([0, 0, 0, 1, 99]))],
    ['a frame that is too long', (page) => page.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1]))],
    ['a message that is too long', (page) => page.write(Buffer.alloc(3 << 20))],
    [
      'JSON that is none',
      (page) => page.write(Buffer.concat([Buffer.from([0, 0, 0, 2, 1]), Buffer.from('{')])),
    ],
    ['a second greeting that is none', (page) => page.write(encodeJson({ type: 'hello', protocol: 'x' }))],
    [
      'channels without end',
      (page) => {
        for (let channel = 1; channel < 400; channel++)
          page.send({ type: 'call', id: channel, channel, call: { do: 'box.list' } })
        page.write(encodeShown(1, 1 << 30))
      },
    ],
  ]
  test.each(MISUSES)('with %s ends the connection, and nothing else', async (_, misuse) => {
    using page = await WebPage.open(served, browser)
    misuse(page)
    expect((await page.isClosed()).code).toBeGreaterThan(1000)
    expect(await opens(browser)).toBe(true)
  })

  test('with requests that are none', async () => {
    const host = `Host: 127.0.0.1:${served.port}`
    for (const [text, code] of [
      [`GET /../../etc/passwd HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`, /40[04]/],
      [`GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`, /40[04]/],
      [`GET //evil.example/ HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`, /40[04]/],
      [`POST / HTTP/1.1\r\n${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, /404/],
      [`GET http://evil.example/api/session HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`, /4\d\d/],
    ] as const)
      expect([text, (await rawRequest(served.port, text)).slice(9, 12)]).toEqual([
        text,
        expect.stringMatching(code),
      ])
    const large = `POST /api/sign-in HTTP/1.1\r\n${host}\r\nOrigin: ${served.origin}\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n${'x'.repeat(100_000)}`
    expect((await rawRequest(served.port, large)).slice(9, 12)).toBe('400')
    const endless = `GET / HTTP/1.1\r\n${host}\r\nX: ${'x'.repeat(64 << 10)}\r\nConnection: close\r\n\r\n`
    expect((await rawRequest(served.port, endless)).slice(9, 12)).toBe('431')
    expect(await opens(browser)).toBe(true)
  })

  test('of another program of a box on the host’s network, which knows no secret', async () => {
    const script = `exec 3<>/dev/tcp/127.0.0.1/${served.port}; printf 'GET /api/session HTTP/1.1\\r\\nHost: 127.0.0.1:${served.port}\\r\\nConnection: close\\r\\n\\r\\n' >&3; head -c 12 <&3`
    const { stdout } = await t.coop(['exec', '-n', 'target', '--', 'bash', '-c', script])
    expect(stdout).toBe('HTTP/1.1 401') // it gets there, and no further
    const found = await t.coop([
      'exec',
      '-n',
      'target',
      '--',
      'bash',
      '-c',
      `cat ${t.dataDir}/serve.json; ls ${t.dataDir}`,
    ])
    expect(found.code).not.toBe(0)
  })

  test('by reading what is kept: no secret of a browser, and no token, is on disk or in a log', async () => {
    const everything = (folder: string): string =>
      readdirSync(folder, { withFileTypes: true })
        .map((entry) => {
          const path = join(folder, entry.name)
          if (entry.isDirectory())
            return ['logs', 'data', 'config'].includes(entry.name) ? everything(path) : ''
          return entry.isFile() ? readFileSync(path, 'latin1') : ''
        })
        .join('\n')
    const text = everything(t.root) + everything(t.dataDir)
    expect(text).toContain('"serve"') // the log was read
    expect(text).toContain(browser.id) // and the list of browsers
    const cookie = browser.cookie.slice(browser.cookie.indexOf('=') + 1)
    for (const secret of [served.token, browser.key, cookie]) expect(text.includes(secret)).toBe(false)
    for (const [pid, line] of processes(t.root))
      expect([pid, line.includes(served.token)]).toEqual([pid, false])
  })

  test('the page refuses frames, foreign scripts and foreign requests', async () => {
    const { headers } = await fetch(served.origin)
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*(unsafe|\*|http)/)
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

/** The command lines and environments of processes whose environment names a folder. */
function processes(root: string): [string, string][] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && existsSync(`/proc/${pid}/environ`))
    .flatMap((pid): [string, string][] => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
        return environment.includes(root)
          ? [[pid, readFileSync(`/proc/${pid}/cmdline`, 'latin1') + environment]]
          : []
      } catch {
        return []
      }
    })
}
