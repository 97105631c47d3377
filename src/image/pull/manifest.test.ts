import { describe, expect, test } from 'bun:test'
import { CoopError } from '../../core/errors.ts'
import { random } from '../unpack/testing.ts'
import { chainIds, choosePlatform, hostPlatform, parseImageConfig, parseManifest } from './manifest.ts'

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'

const image = {
  schemaVersion: 2,
  config: { mediaType: `${OCI}.config.v1+json`, digest: digest('1'), size: 10 },
  layers: [
    { mediaType: `${OCI}.layer.v1.tar+gzip`, digest: digest('2'), size: 20 },
    { mediaType: `${OCI}.layer.v1.tar+zstd`, digest: digest('3'), size: 30 },
    { mediaType: `${OCI}.layer.v1.tar`, digest: digest('4'), size: 40 },
  ],
}
const index = {
  schemaVersion: 2,
  mediaType: `${OCI}.index.v1+json`,
  manifests: [
    { digest: digest('5'), size: 1, platform: { os: 'windows', architecture: 'amd64' } },
    { digest: digest('6'), size: 1, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    { digest: digest('7'), size: 1, platform: { os: 'linux', architecture: 'amd64', variant: 'v3' } },
    { digest: digest('8'), size: 1, platform: { os: 'linux', architecture: 'amd64' } },
    { digest: digest('9'), size: 1, platform: { os: 'unknown', architecture: 'unknown' } },
  ],
}
const config = {
  os: 'linux',
  architecture: 'amd64',
  config: {
    Env: ['A=b', 'C=d=e', 'broken', '=x'],
    WorkingDir: '/srv',
    User: 'www',
    Entrypoint: null,
    Cmd: ['sh'],
  },
  rootfs: { type: 'layers', diff_ids: [digest('a'), digest('b')] },
}

test('an OCI image', () => {
  const manifest = parseManifest(bytes(image))
  expect(manifest.kind === 'image' && manifest.layers.map(({ size }) => size)).toEqual([20, 30, 40])
})

test('a Docker image', () => {
  const layers = [{ mediaType: `${DOCKER}.image.rootfs.diff.tar.gzip`, digest: digest('2'), size: 20 }]
  const mediaType = `${DOCKER}.distribution.manifest.v2+json`
  expect(parseManifest(bytes({ ...image, mediaType, layers })).kind).toBe('image')
})

describe('of an index', () => {
  const parsed = parseManifest(bytes(index))
  if (parsed.kind !== 'index') throw new Error('no index')
  test('the plain variant of this machine is chosen', () => {
    expect(choosePlatform(parsed.manifests, hostPlatform('x64')).digest).toBe(digest('8'))
    expect(choosePlatform(parsed.manifests, hostPlatform('arm64')).digest).toBe(digest('6'))
  })
  test('a machine that it has nothing for is told what there is', () => {
    const wanted = { os: 'linux', architecture: 'riscv64', variant: undefined }
    expect(() => choosePlatform(parsed.manifests, wanted)).toThrow(
      'nothing for linux/riscv64, only windows/amd64, linux/arm64, linux/amd64',
    )
  })
})

test('the configuration that matters', () => {
  expect(parseImageConfig(bytes(config), 2)).toMatchObject({
    env: ['A=b', 'C=d=e'],
    workingDir: '/srv',
    user: 'www',
    entrypoint: [],
    cmd: ['sh'],
  })
})

test('chain ids, by the example of the specification', () => {
  const [first, second] = chainIds([digest('a'), digest('b')])
  expect(first).toBe(digest('a'))
  expect(second).toBe(
    `sha256:${new Bun.CryptoHasher('sha256').update(`${digest('a')} ${digest('b')}`).digest('hex')}`,
  )
})

describe('refused', () => {
  const layer = image.layers[0]
  const wrong: Record<string, unknown> = {
    'schema 1': { schemaVersion: 1 },
    'no schema': { layers: [] },
    'index and image at once': { ...image, manifests: index.manifests },
    'another type than it says': { ...image, mediaType: index.mediaType },
    'a negative size': { ...image, layers: [{ ...layer, size: -1 }] },
    'a size that is text': { ...image, layers: [{ ...layer, size: '20' }] },
    'a digest that is a path': { ...image, layers: [{ ...layer, digest: '../../../etc/passwd' }] },
    'another algorithm': { ...image, layers: [{ ...layer, digest: `md5:${'0'.repeat(32)}` }] },
    'no file system': { ...image, layers: [{ ...layer, mediaType: 'application/wasm' }] },
    'too many layers': { ...image, layers: Array(129).fill(layer) },
    'a list for a map': { ...image, config: [] },
  }
  for (const [name, value] of Object.entries(wrong))
    test(name, () => {
      expect(() => parseManifest(bytes(value))).toThrow(CoopError)
    })
  test('a configuration for other layers', () => {
    expect(() => parseImageConfig(bytes(config), 3)).toThrow(/2 layers and the manifest 3/)
  })
  test('more than a manifest may have', () => {
    expect(() => parseManifest(Buffer.alloc(5 << 20, 32))).toThrow(/larger than/)
  })
})

test('whatever JSON it is, only errors of coop come of it', () => {
  const below = random(11)
  const texts = [image, index, config].map((value) => JSON.stringify(value))
  const pieces = ['null', '"', '{', '[]', '-1', '1e99', '__proto__', ',', 'true', '\\u0000']
  for (let round = 0; round < 5000; round++) {
    const text = texts[round % 3] ?? ''
    const at = below(text.length)
    const changed = text.slice(0, at) + pieces[below(pieces.length)] + text.slice(at + below(30))
    for (const parse of [parseManifest, (json: Uint8Array) => parseImageConfig(json, 2)])
      try {
        parse(Buffer.from(changed))
      } catch (error) {
        if (!(error instanceof CoopError)) throw error
      }
  }
})
