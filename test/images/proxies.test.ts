/** A proxy of the environment gets no request to a registry on this machine. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary as invoker } from '../harness/users.ts'
import { fakeRegistry } from './fake-registry.ts'
import { blobsOf, layout, tools } from './support.ts'

let folder: string
let blobs: ReturnType<typeof blobsOf>

beforeAll(() => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-proxies-')
  blobs = blobsOf(layout(folder, [[{ name: 'file', data: 'x' }]]))
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const BASIC = `Basic ${Buffer.from('robin:secret').toString('base64')}`

/** A proxy that records requests and passes none on. */
function thief() {
  const seen: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      seen.push(`${request.method} ${request.url} ${request.headers.get('authorization') ?? ''}`)
      return new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } })
    },
  })
  return {
    seen,
    address: `http://127.0.0.1:${server.port}`,
    [Symbol.dispose]: () => void server.stop(true),
  }
}

const registry = () =>
  fakeRegistry(blobs, (request) =>
    request.headers.get('authorization') === BASIC
      ? undefined
      : new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
  )

function login(t: Scratch, host: string): void {
  const auth = Buffer.from('robin:secret').toString('base64')
  t.write(join(t.home, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
}

describe.each(['http_proxy', 'HTTP_PROXY'])('a proxy named by %s', (variable) => {
  test.skipIf(tools.missing).each(['127.0.0.1', 'localhost', 'registry.localhost'])(
    `is not asked for a registry at %s${tools.note}`,
    async (name) => {
      await using t = await scratch(invoker, { git: false })
      using proxy = thief()
      using first = registry()
      const host = `${name}:${first.server.port}`
      login(t, host)
      const env = { [variable]: proxy.address }
      expect(await t.coop(['image', 'pull', '-q', `${host}/it`], { env })).toMatchObject({ code: 0 })
      expect(proxy.seen).toEqual([])
      expect(first.asked.some(({ authorization }) => authorization === BASIC)).toBe(true)
    },
  )

  test('positive control: the proxy of the test is asked', async () => {
    await using t = await scratch(invoker, { git: false })
    using proxy = thief()
    const script = `await fetch('http://127.0.0.1:1/', { headers: { authorization: 'it' } })`
    const env = { [variable]: proxy.address, BUN_BE_BUN: '1' }
    await t.coop(['-e', script], { env })
    expect(proxy.seen).toEqual(['GET http://127.0.0.1:1/ it'])
  })
})

test.skipIf(tools.missing)(
  `a proxy is asked for a registry elsewhere, which is encrypted${tools.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    const said = Promise.withResolvers<string>()
    using proxy = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket, bytes) {
          said.resolve(bytes.toString())
          socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
        },
      },
    })
    const host = 'registry.example.invalid'
    login(t, host)
    const env = { https_proxy: `http://127.0.0.1:${proxy.port}` }
    const running = t.startCoop(['image', 'pull', '-q', `${host}/it`], { env })
    const asked = await said.promise
    running.kill('SIGKILL')
    expect(asked).toStartWith(`CONNECT ${host}:443 `)
    expect(asked).not.toContain('robin')
    expect(asked.toLowerCase()).not.toContain('\r\nauthorization')
  },
)
