/** A registry that lies or breaks: coop refuses its data or asks again, and never believes it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary as invoker } from '../harness/users.ts'
import { expectRefusal } from '../integration/support.ts'
import { type Answer, fakeRegistry } from './fake-registry.ts'
import { blobsOf, freePort, layout, tools } from './support.ts'

let folder: string
let blobs: ReturnType<typeof blobsOf>
let layer: { digest: string; size: number }

beforeAll(() => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-lies-')
  // Random, so that it stays large when it is compressed.
  const data = crypto.getRandomValues(new Uint8Array(60_000))
  blobs = blobsOf(layout(folder, [[{ name: 'file', data: Buffer.concat(Array(50).fill(data)) }]]))
  layer =
    (JSON.parse(blobs.manifest.toString()) as { layers: { digest: string; size: number }[] }).layers[0] ??
    layer
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const registry = (lie?: Answer) => fakeRegistry(blobs, lie)

const pull = (t: Scratch, host: string): Promise<RunResult> =>
  t.coop(['image', 'pull', '-q', `${host}/it`], { timeoutMs: 100_000 })

const isLayer = (path: string): boolean => path.endsWith(layer.digest)

/** Coop keeps nothing of the image, whole or half made. */
function nothingKept(t: Scratch): void {
  const top = join(t.dataDir, 'images')
  const names = existsSync(top) ? readdirSync(top, { recursive: true }).map(String) : []
  expect(names.filter((name) => /records\/|\.tmp-|layer\.json/.test(name))).toEqual([])
  expect(existsSync(join(t.cacheDir, 'blobs/sha256', layer.digest.slice(7)))).toBe(false)
}

test.skipIf(tools.missing)(
  `positive control: an honest registry's image is pulled${tools.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    using honest = registry()
    expect(await pull(t, honest.host)).toMatchObject({ code: 0 })
  },
)

describe('refused', () => {
  const whole = () => blobs.blob(layer.digest)
  const changed = (): Buffer => {
    const bytes = Buffer.from(whole())
    bytes[1000] = (bytes[1000] ?? 0) ^ 1
    return bytes
  }
  const endless = (): Response =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          controller.enqueue(new Uint8Array(1 << 16))
          await Bun.sleep(0)
        },
      }),
    )
  const cases: Record<string, [Answer, RegExp, RegExp]> = {
    'a layer of another digest': [
      (_, path) => (isLayer(path) ? new Response(changed()) : undefined),
      /digest is wrong/,
      /hostile/,
    ],
    'a layer that is longer than it says': [
      (_, path) => (isLayer(path) ? new Response(Buffer.concat([whole(), Buffer.alloc(9)])) : undefined),
      /sends more/,
      /hostile/,
    ],
    'an endless layer': [(_, path) => (isLayer(path) ? endless() : undefined), /sends more/, /hostile/],
    'an endless manifest': [
      (_, path) => (path.includes('/manifests/') ? endless() : undefined),
      /larger than 4194304/,
      /hostile/,
    ],
    'a manifest that is none': [
      (_, path) => (path.includes('/manifests/') ? new Response('<html>') : undefined),
      /not JSON/,
      /damaged/,
    ],
    'a layer that is not there': [
      (_, path) => (isLayer(path) ? new Response('', { status: 404 }) : undefined),
      /has no layer/,
      /check/,
    ],
    'a layer that unpacks while it is sent': [
      (_, path) =>
        isLayer(path)
          ? new Response(Bun.gzipSync(new Uint8Array(whole()), { level: 0 }), {
              headers: { 'content-encoding': 'gzip' },
            })
          : undefined,
      /sends more/,
      /hostile/,
    ],
    'redirects without end': [
      (request) => Response.redirect(request.url, 307),
      /redirects more than/,
      /later/,
    ],
    'a redirect to plain HTTP elsewhere': [
      () => Response.redirect('http://registry.invalid/v2/', 307),
      /without encryption/,
      /HTTP/,
    ],
    'a redirect to a file': [
      () => new Response('', { status: 302, headers: { location: 'file:///etc/passwd' } }),
      /without encryption/,
      /HTTP/,
    ],
  }
  for (const [name, [lie, sentence, hint]] of Object.entries(cases))
    test.skipIf(tools.missing)(`${name}${tools.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      using liar = registry(lie)
      expectRefusal(await pull(t, liar.host), { code: 5, sentence, hint })
      nothingKept(t)
    })

  test.skipIf(tools.missing)(`another manifest than that of the requested digest${tools.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using liar = registry()
    const result = await t.coop(['image', 'pull', `${liar.host}/it@sha256:${'ab'.repeat(32)}`])
    expect(result.code).toBe(5)
    expect(result.stderr).toContain('another manifest')
  })
})

describe('asked again', () => {
  test.skipIf(tools.missing)(`a registry that is busy or broken for a while${tools.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    let bad = 0
    using busy = registry((_, path) => {
      if (++bad === 1) return new Response('', { status: 429, headers: { 'retry-after': '1' } })
      if (isLayer(path) && bad < 6) return new Response('', { status: 503 })
      return undefined
    })
    expect(await pull(t, busy.host)).toMatchObject({ code: 0 })
  })

  test.skipIf(tools.missing)(`a broken download continues where it stopped${tools.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    let cuts = 0
    using short = registry((request, path) => {
      if (!isLayer(path) || cuts === 8) return undefined
      cuts++
      const from = Number(/\d+/.exec(request.headers.get('range') ?? '0')?.[0])
      const part = blobs.blob(layer.digest).subarray(from, from + 5000)
      const headers = { 'content-range': `bytes ${from}-${layer.size - 1}/${layer.size}` }
      return new Response(part, from ? { status: 206, headers } : {})
    })
    expect(await pull(t, short.host)).toMatchObject({ code: 0 })
    expect(short.asked.filter(({ path }) => isLayer(path)).map(({ range }) => range)).toEqual([
      null,
      ...Array.from({ length: 8 }, (_, i) => `bytes=${(i + 1) * 5000}-`),
    ])
  })

  const FOR_EVER: Record<string, [Answer, RegExp]> = {
    'an error each time': [() => new Response('', { status: 500 }), /answered 500.*tried 6 times/],
    'the same half each time': [
      (_, path) => (isLayer(path) ? new Response(blobs.blob(layer.digest).subarray(0, 9000)) : undefined),
      /sent 9000 of \d+ bytes.*tried 6 times/,
    ],
    'a size that is too large': [
      (_, path) =>
        path.includes('/manifests/')
          ? new Response(
              blobs.manifest.toString().replace(`"size":${layer.size}`, `"size":${layer.size + 9}`),
            )
          : undefined,
      /sent \d+ of \d+ bytes|does not continue/,
    ],
  }
  test.skipIf(tools.missing)(
    `but not for ever${tools.note}`,
    async () => {
      const refused = Object.values(FOR_EVER).map(async ([lie, sentence]) => {
        await using t = await scratch(invoker, { git: false })
        using liar = registry(lie)
        expectRefusal(await pull(t, liar.host), { code: 5, sentence, hint: /again/ })
        nothingKept(t)
      })
      await Promise.all(refused)
    },
    60_000,
  )
})

test('a missing registry is soon reported, and so is waiting for one', async () => {
  await using t = await scratch(invoker, { git: false })
  const host = `127.0.0.1:${await freePort()}`
  const { code, stderr } = await t.coop(['image', 'pull', `${host}/it`])
  expect(stderr).toBe(
    `${host} refuses the connection; trying again\n` +
      `coop: reading it from ${host} failed: ${host} refuses the connection (tried 4 times) [E_IMAGE]\n` +
      'hint: check that the registry runs and uses this port\n',
  )
  expect(code).toBe(5)
})

describe('blobs that are already on the disk are checked, too', () => {
  const kept = (t: Scratch): string => join(t.cacheDir, 'blobs/sha256', layer.digest.slice(7))
  const damaged = (): Buffer => {
    const bytes = Buffer.from(blobs.blob(layer.digest))
    bytes.fill(0, 2000, 3000) // as a power cut leaves it
    return bytes
  }
  const cases: Record<string, [() => Buffer, string]> = {
    'a part that is wrong': [() => damaged().subarray(0, 50_000), '.partial'],
    'all of it, wrong': [damaged, '.partial'],
    'more than all of it': [() => Buffer.concat([blobs.blob(layer.digest), Buffer.alloc(99)]), '.partial'],
    'a whole one that the disk has changed': [damaged, ''],
  }
  for (const [name, [bytes, suffix]] of Object.entries(cases))
    test.skipIf(tools.missing)(`${name}${tools.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      using honest = registry()
      t.folder(join(t.cacheDir, 'blobs/sha256'))
      t.write(`${kept(t)}${suffix}`, bytes())
      expect(await pull(t, honest.host)).toMatchObject({ code: 0, stderr: '' })
      expect(readFileSync(kept(t)).equals(blobs.blob(layer.digest))).toBe(true)
    })
})
