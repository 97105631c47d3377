/** Which hosts get the user's passwords and tokens, and which ask in vain. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary as invoker } from '../harness/users.ts'
import { expectRefusal } from '../integration/support.ts'
import { type Answer, fakeRegistry } from './fake-registry.ts'
import { blobsOf, layout, tools } from './support.ts'

let folder: string
let blobs: ReturnType<typeof blobsOf>

beforeAll(() => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-credentials-')
  blobs = blobsOf(layout(folder, [[{ name: 'file', data: 'x' }]]))
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const registry = (lie?: Answer) => fakeRegistry(blobs, lie)

const pull = (t: Scratch, host: string): Promise<RunResult> => t.coop(['image', 'pull', '-q', `${host}/it`])

/** A path of the one layer or of the configuration. */
const isLayer = (path: string): boolean => path.includes('/blobs/')

const login = (t: Scratch, host: string): void => {
  const auth = Buffer.from('robin:secret').toString('base64')
  t.write(join(t.home, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
}
const challenge = (value: string): Response =>
  new Response('', { status: 401, headers: { 'www-authenticate': value } })
const BASIC = `Basic ${Buffer.from('robin:secret').toString('base64')}`

test.skipIf(tools.missing)(
  `go to the host they are for, not to where it redirects${tools.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    using other = registry()
    using first = registry((request, path) => {
      if (request.headers.get('authorization') !== BASIC) return challenge('Basic realm="x"')
      return isLayer(path) ? Response.redirect(`http://${other.host}${path}`, 307) : undefined
    })
    login(t, first.host)
    expect(await pull(t, first.host)).toMatchObject({ code: 0 })
    expect(other.asked.map(({ authorization }) => authorization)).toEqual([null, null])
  },
)

test.skipIf(tools.missing)(
  `a redirect's target that asks for credentials gets none${tools.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    using thief = registry(() => challenge('Basic realm="give"'))
    using first = registry((_, path) =>
      isLayer(path) ? Response.redirect(`http://${thief.host}${path}`, 307) : undefined,
    )
    login(t, first.host)
    login(t, thief.host)
    expectRefusal(await pull(t, first.host), { code: 5, sentence: /it gets none/, hint: /./ })
    expect(thief.asked.every(({ authorization }) => authorization === null)).toBe(true)
  },
)

test.skipIf(tools.missing)(
  `credentials become a token where the registry wants one${tools.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    using service = registry((request) => {
      const url = new URL(request.url)
      const fits =
        url.searchParams.get('service') === 'it, "quoted"' &&
        url.searchParams.get('scope') === 'repository:it:pull'
      if (request.headers.get('authorization') !== BASIC || !fits) return new Response('', { status: 401 })
      return Response.json({ token: 'the-token' })
    })
    using first = registry((request) =>
      request.headers.get('authorization') === 'Bearer the-token'
        ? undefined
        : challenge(
            `Bearer realm="http://${service.host}/token",service="it, \\"quoted\\"",scope="repository:it:pull"`,
          ),
    )
    expectRefusal(await pull(t, first.host), { code: 5, sentence: /wants a login/, hint: /login/ })
    login(t, first.host)
    expect(await pull(t, first.host)).toMatchObject({ code: 0 })
  },
)

test.skipIf(tools.missing)(
  `a refresh token goes to its service, not to where that redirects${tools.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    const bodies: string[] = []
    using thief = registry(async (request) => {
      bodies.push(await request.text())
      return Response.json({ access_token: 'the-token' })
    })
    let honest = false
    using service = registry(async (request, path) => {
      if (!honest) return Response.redirect(`http://${thief.host}${path}`, 307)
      const form = new URLSearchParams(await request.text())
      const fits = form.get('refresh_token') === 'the-secret' && form.get('scope') === 'repository:it:pull'
      return fits ? Response.json({ access_token: 'the-token' }) : new Response('', { status: 401 })
    })
    using first = registry((request) =>
      request.headers.get('authorization') === 'Bearer the-token'
        ? undefined
        : challenge(`Bearer realm="http://${service.host}/token",service="it"`),
    )
    const auths = { [first.host]: { identitytoken: 'the-secret' } }
    t.write(join(t.home, '.docker/config.json'), JSON.stringify({ auths }))
    expectRefusal(await pull(t, first.host), { code: 5, sentence: /it gets none/, hint: /./ })
    expect(bodies).toEqual([])
    honest = true
    expect(await pull(t, first.host)).toMatchObject({ code: 0 })
  },
)

test.skipIf(tools.missing)(`wrong credentials are reported${tools.note}`, async () => {
  await using t = await scratch(invoker, { git: false })
  using first = registry(() => challenge('Basic realm="x"'))
  login(t, first.host)
  expectRefusal(await pull(t, first.host), { code: 5, sentence: /does not let this login/, hint: /login/ })
})
