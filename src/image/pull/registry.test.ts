import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder } from '../unpack/testing.ts'
import { parseChallenge, Registry } from './registry.ts'

const OK = { schemaVersion: 2 }

/** A registry with its token service, and a client, logged in or not. */
function setting(
  answer: (request: Request, url: URL) => Response | Promise<Response>,
  entry?: Readonly<Record<string, string>>,
) {
  const home = folder()
  const asked: string[] = []
  const bun = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const url = new URL(request.url)
      asked.push(`${request.method} ${url.pathname} ${request.headers.get('authorization') ?? '-'}`)
      return answer(request, url)
    },
  })
  const host = `127.0.0.1:${bun.port}`
  const auths = join(home.path, 'auth.json')
  writeFileSync(auths, JSON.stringify({ auths: entry ? { [host]: entry } : {} }))
  const reference = { registry: host, repository: 'team/app', tag: 'latest' } as never
  const environment = { REGISTRY_AUTH_FILE: auths }
  return {
    asked,
    host,
    registry: new Registry(reference, { configDir: home.path, environment, home: home.path }),
    [Symbol.dispose]: () => {
      void bun.stop(true)
      home[Symbol.dispose]()
    },
  }
}

const challenge = (value: string): Response =>
  new Response('', { status: 401, headers: { 'www-authenticate': value } })
const bearer = (url: URL): Response => challenge(`Bearer realm="${url.origin}/token",service="s"`)
const failed = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it worked',
    (error: unknown) => error,
  )
const is = (text: string) => ({ code: 'E_IMAGE', message: expect.stringContaining(text) })

describe('tokens', () => {
  test('are asked for once, and again when one has run out', async () => {
    let given = 0
    using it = setting((request, url) => {
      if (url.pathname === '/token') return Response.json({ access_token: `t${++given}` })
      // The first token is valid for one request.
      const token = request.headers.get('authorization')
      const good = given === 1 ? it.asked.length <= 3 && token === 'Bearer t1' : token === 'Bearer t2'
      return good ? Response.json(OK) : bearer(url)
    })
    for (const tag of ['a', 'b', 'c']) await it.registry.manifest(tag)
    expect(it.asked).toEqual([
      'GET /v2/team/app/manifests/a -',
      'GET /token -',
      'GET /v2/team/app/manifests/a Bearer t1',
      'GET /v2/team/app/manifests/b Bearer t1',
      'GET /token -',
      'GET /v2/team/app/manifests/b Bearer t2',
      'GET /v2/team/app/manifests/c Bearer t2',
    ])
  })

  test('for an identity token are asked for in a body, never in an address', async () => {
    let form = ''
    using it = setting(
      async (request, url) => {
        if (url.pathname === '/token') {
          form = await request.text()
          expect(url.search).toBe('')
          return Response.json({ access_token: 'ok' })
        }
        return request.headers.get('authorization') === 'Bearer ok' ? Response.json(OK) : bearer(url)
      },
      { identitytoken: 'se&cret' },
    )
    await it.registry.manifest('latest')
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'se&cret',
      scope: 'repository:team/app:pull',
      client_id: 'coop',
      service: 's',
    })
    expect(it.asked).toContain('POST /token -')
  })

  test.each([
    ['is none', () => Response.json({}), 'gave no token'],
    ['is no text', () => Response.json({ token: 7 }), 'gave no token'],
    ['is no JSON', () => new Response('<html>'), 'gave no token'],
    ['would add a header', () => Response.json({ token: 'x\r\nx-evil: 1' }), 'gave no token'],
    ['is refused', () => new Response('', { status: 403 }), 'wants a login'],
    ['is not there', () => new Response('', { status: 404 }), 'answered 404'],
  ])('one that %s ends it with a reason', async (_, answer, reason) => {
    using it = setting((_request, url) => (url.pathname === '/token' ? answer() : bearer(url)))
    expect(await failed(it.registry.manifest('latest'))).toMatchObject(is(reason))
  })

  test('that never help are not asked for without end', async () => {
    using it = setting((_, url) => (url.pathname === '/token' ? Response.json({ token: 'x' }) : bearer(url)))
    expect(await failed(it.registry.manifest('latest'))).toMatchObject(is('wants a login'))
    expect(it.asked.length).toBeLessThan(7)
  })

  test('of a service that is busy come later', async () => {
    let busy = 2
    using it = setting((request, url) => {
      if (url.pathname === '/token')
        return busy-- > 0
          ? new Response('', { status: 503, headers: { 'retry-after': '0' } })
          : Response.json({ token: 'ok' })
      return request.headers.get('authorization') === 'Bearer ok' ? Response.json(OK) : bearer(url)
    })
    expect(JSON.parse((await it.registry.manifest('latest')).toString())).toEqual(OK)
  })
})

test.each([
  ['Negotiate', 'does not know'],
  ['Bearer service="x"', 'names no token service'],
  ['Bearer realm="file:///etc/passwd"', 'without encryption'],
  ['Bearer realm="http://r.example/token"', 'without encryption'],
])('a challenge that cannot be met: %s', async (value, reason) => {
  using it = setting(() => challenge(value), { auth: btoa('robin:secret') })
  expect(await failed(it.registry.manifest('latest'))).toMatchObject(is(reason))
})

test('a password is not said before it is asked for', async () => {
  using it = setting(() => Response.json(OK), { auth: btoa('robin:secret') })
  await it.registry.manifest('latest')
  expect(it.asked).toEqual(['GET /v2/team/app/manifests/latest -'])
})

describe('answers', () => {
  test.each([
    [404, 'has no latest of team/app'],
    [403, 'wants a login'],
    [410, 'answered 410'],
  ])('%d to a manifest', async (status, reason) => {
    using it = setting(() => new Response('', { status }))
    expect(await failed(it.registry.manifest('latest'))).toMatchObject(is(reason))
    expect(it.asked).toHaveLength(1)
  })

  test('to a blob may begin later, at its start, or nowhere', async () => {
    const digest = `sha256:${'a'.repeat(64)}`
    for (const status of [200, 206, 416]) {
      let range: string | null = ''
      using it = setting((request) => {
        range = request.headers.get('range')
        return new Response('', { status })
      })
      expect((await it.registry.blob(digest, 7)).status).toBe(status)
      expect(range).toBe('bytes=7-')
      await it.registry.blob(digest, 0)
      expect(range).toBeNull()
    }
    using it = setting(() => new Response('', { status: 404 }))
    expect(await failed(it.registry.blob(digest, 0))).toMatchObject(is('has no layer sha256:aaaaaaaaaaaa'))
  })
})

test.each([
  [null, undefined],
  ['', undefined],
  ['Digest realm="x"', undefined],
  ['Basic', { scheme: 'basic', parameters: {} }],
  ['bAsIc Realm="x"', { scheme: 'basic', parameters: { realm: 'x' } }],
  [
    'Bearer realm="https://t.example/t",service=plain , scope="repository:a:pull,push"',
    {
      scheme: 'bearer',
      parameters: { realm: 'https://t.example/t', service: 'plain', scope: 'repository:a:pull,push' },
    },
  ],
  ['Bearer realm="a \\"b\\" \\\\"', { scheme: 'bearer', parameters: { realm: 'a "b" \\' } }],
  ['Digest a="b", Basic realm="x"', { scheme: 'basic', parameters: { realm: 'x' } }],
  ['Bearer __proto__="x"', { scheme: 'bearer', parameters: { ['__proto__']: 'x' } }],
])('WWW-Authenticate: %s', (header, expected) => {
  const found = parseChallenge(header)
  expect(found && { ...found, parameters: { ...found.parameters } }).toEqual(expected as never)
})
