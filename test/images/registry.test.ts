/** Real registries: with passwords, tokens, private CAs; indexes; and images that are in no registry. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archive } from '../../src/image/unpack/testing.ts'
import { hasCommand, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary as invoker } from '../harness/users.ts'
import { expectRefusal, output } from '../integration/support.ts'
import { pushManifest, sha256 } from './publish.ts'
import { layout, RealRegistry, run, tools } from './support.ts'

const tls = needsAll({ openssl: hasCommand('openssl') })
let folder: string
let image: string

beforeAll(() => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-sources-')
  image = layout(folder, [[{ name: 'a', data: 'one' }], [{ name: 'b', data: 'two' }]])
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

test.skipIf(tools.missing)(
  `a password of docker login, podman login or a helper is used${tools.note}`,
  async () => {
    await using registry = await RealRegistry.start((at) => {
      writeFileSync(
        join(at, 'users'),
        `robin:${Bun.password.hashSync('secret', { algorithm: 'bcrypt', cost: 5 })}\n`,
      )
      return { more: `auth:\n  htpasswd: {realm: test, path: ${at}/users}\n` }
    })
    await registry.push(image, 'it:1', ['--dest-creds', 'robin:secret'])
    const pull = ['image', 'pull', '-q', `${registry.host}/it:1`]
    const auths = { auths: { [registry.host]: { auth: Buffer.from('robin:secret').toString('base64') } } }
    for (const [at, value] of Object.entries({
      '.docker/config.json': auths,
      '.config/containers/auth.json': auths,
      'helper/config.json': { credHelpers: { [registry.host]: 'test' } },
    })) {
      await using t = await scratch(invoker, { git: false })
      expectRefusal(await t.coop(pull), { code: 5, sentence: /wants a login/, hint: /docker login/ })
      t.write(join(t.home, at), JSON.stringify(value))
      const helper = `#!/bin/sh\nread server; [ "$server" = ${registry.host} ] && echo '{"Username":"robin","Secret":"secret"}'\n`
      t.write(join(t.home, 'bin/docker-credential-test'), helper, 0o755)
      const env = at.startsWith('helper')
        ? { DOCKER_CONFIG: join(t.home, 'helper'), PATH: `${t.home}/bin:${t.env.PATH}` }
        : {}
      output(await t.coop(pull, { env }))
    }
  },
)

test.skipIf(tools.missing || tls.missing)(
  `TLS under a private CA works${tools.note}${tls.note}`,
  async () => {
    const at = join(folder, 'tls')
    mkdirSync(at)
    const ca = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    ]
    run(['openssl', 'req', ...ca, '-subj', '/CN=test CA', '-days', '2'], at)
    run(
      [
        'openssl',
        'req',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        'key',
        '-out',
        'csr',
        '-subj',
        '/CN=x',
      ],
      at,
    )
    writeFileSync(join(at, 'ext'), 'subjectAltName=IP:127.0.0.1\n')
    run(
      [
        'openssl',
        'x509',
        '-req',
        '-in',
        'csr',
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-out',
        'crt',
        '-days',
        '2',
        '-extfile',
        'ext',
      ],
      at,
    )
    await using registry = await RealRegistry.start(() => ({
      http: `  tls: {certificate: ${at}/crt, key: ${at}/key}\n`,
    }))
    await registry.push(image, 'it:1')
    const pull = ['image', 'pull', '-q', `${registry.host}/it:1`]
    await using t = await scratch(invoker, { git: false })
    expectRefusal(await t.coop(pull), { code: 5, sentence: /certificate.*not trusted/, hint: /ca\.crt/ })
    t.write(join(t.configDir, 'certs', registry.host, 'ca.crt'), readFileSync(join(at, 'ca.crt')))
    output(await t.coop(pull))
    await using other = await scratch(invoker, { git: false })
    const bundle = other.write(join(other.home, 'bundle.crt'), readFileSync(join(at, 'ca.crt')))
    output(await other.coop(pull, { env: { SSL_CERT_FILE: bundle } }))
  },
)

const INDEXES = {
  OCI: ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json', 'oci'],
  Docker: [
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'v2s2',
  ],
} as const

for (const [kind, [type, mediaType, format]] of Object.entries(INDEXES))
  test.skipIf(tools.missing)(
    `of an index (${kind}), coop pulls the image for this machine${tools.note}`,
    async () => {
      await using registry = await RealRegistry.start()
      const here = process.arch === 'x64' ? 'amd64' : 'arm64'
      const manifests = await Promise.all(
        ['amd64', 'arm64', 's390x'].map(async (architecture) => {
          const one = layout(
            folder,
            [[{ name: 'arch', data: architecture }]],
            ['--architecture', architecture],
          )
          await registry.push(one, `it:${architecture}`, ['--format', format])
          const address = `http://${registry.host}/v2/it/manifests/${architecture}`
          const manifest = Buffer.from(
            await (await fetch(address, { headers: { accept: mediaType } })).arrayBuffer(),
          )
          return {
            mediaType,
            digest: sha256(manifest),
            size: manifest.length,
            platform: { os: 'linux', architecture },
          }
        }),
      )
      await pushManifest(registry.host, 'it', 'multi', { schemaVersion: 2, mediaType: type, manifests }, type)
      await using t = await scratch(invoker, { git: false })
      const digest = output(await t.coop(['image', 'pull', '-q', `${registry.host}/it:multi`]))
      expect(digest.trim()).toBe(
        manifests.find(({ platform }) => platform.architecture === here)?.digest ?? '',
      )
    },
  )

test.skipIf(tools.missing || tls.missing)(
  `a registry accepts tokens that a service signs for users with access${tools.note}${tls.note}`,
  async () => {
    const at = mkdtempSync(join(folder, 'token-'))
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      'key',
      '-out',
      'crt',
    ]
    run(['openssl', 'req', '-x509', ...key, '-subj', '/CN=tokens', '-days', '2'], at)
    const certificate = readFileSync(join(at, 'crt'), 'utf8').replace(/-----[^-]+-----|\s/g, '')
    const signed = (claims: object): string => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      const text = `${part({ typ: 'JWT', alg: 'ES256', x5c: [certificate] })}.${part(claims)}`
      const privateKey = { key: readFileSync(join(at, 'key'), 'utf8'), dsaEncoding: 'ieee-p1363' } as const
      return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`
    }
    const seen: string[] = []
    using service = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request) {
        const { searchParams } = new URL(request.url)
        const [type = '', name = '', actions = ''] = (searchParams.get('scope') ?? '').split(':')
        seen.push(`${searchParams.get('service')} ${searchParams.get('scope')}`)
        const may = request.headers.get('authorization') === `Basic ${btoa('robin:secret')}`
        const now = Math.floor(Date.now() / 1000)
        const claims = {
          iss: 'tester',
          aud: 'it',
          sub: 'robin',
          exp: now + 60,
          nbf: now - 60,
          iat: now,
          jti: '1',
        }
        const access = may ? [{ type, name, actions: actions.split(',') }] : []
        return Response.json({ token: signed({ ...claims, access }) })
      },
    })
    await using registry = await RealRegistry.start(() => ({
      more: `auth:\n  token: {realm: "http://127.0.0.1:${service.port}/token", service: it, issuer: tester, rootcertbundle: ${at}/crt}\n`,
    }))
    await registry.push(image, 'some/where:1', ['--dest-creds', 'robin:secret'])
    seen.length = 0
    const pull = ['image', 'pull', '-q', `${registry.host}/some/where:1`]
    await using t = await scratch(invoker, { git: false })
    expectRefusal(await t.coop(pull), { code: 5, sentence: /wants a login/, hint: /docker login/ })
    const auths = { [registry.host]: { auth: btoa('robin:secret') } }
    t.write(join(t.home, '.docker/config.json'), JSON.stringify({ auths }))
    output(await t.coop(pull))
    expect(new Set(seen)).toEqual(new Set(['it repository:some/where:pull']))
  },
)

describe('images that are in no registry', () => {
  test.skipIf(tools.missing)(`an error names the damaged image${tools.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const copy = ['skopeo', 'copy', '-q', '--insecure-policy', `oci:${image}`]
    for (const to of ['oci:layout:it', 'oci-archive:oci.tar:it', 'docker-archive:docker.tar:org/it:1'])
      run([...copy, to], t.workspace)
    run(['cp', '-r', 'layout', 'no-json'], t.workspace)
    run(['cp', '-r', 'layout', 'no-index'], t.workspace)
    rmSync(join(t.workspace, 'no-index/index.json'))
    t.write('no-json/index.json', '{')
    const bytes = readFileSync(join(t.workspace, 'oci.tar'))
    t.write('half.tar', bytes.subarray(0, bytes.length / 2 + 10))
    t.write('noise.tar', 'not a tar archive'.repeat(100))
    t.write('empty.tar', '')
    const bad = archive([{ name: 'manifest.json', data: '{' }])
    t.write('no-json.tar', bad)
    const layer = readFileSync(join(t.workspace, 'docker.tar'))
    layer.fill(0x58, layer.indexOf('ustar') + 600, layer.indexOf('ustar') + 700)
    t.write('changed.tar', layer)
    run(['chmod', '-R', 'a+rX', t.workspace])
    const cases: [string, RegExp, RegExp][] = [
      ['oci:oci.tar', /oci\.tar is a file/, /oci-archive:\/.*oci\.tar/],
      ['oci:no-index', /no-index is not an image: it has no index\.json/, /get it again/],
      ['oci:no-json', /no-json: index\.json is not JSON/, /get it again/],
      ['oci:nothing', /there is no \/.*nothing/, /relative/],
      ['oci-archive:layout', /layout is a folder/, /oci:\/.*layout/],
      ['oci-archive:docker.tar', /docker\.tar is not of the kind oci-archive/, /docker-archive:/],
      ['docker-archive:oci.tar', /oci\.tar is not of the kind docker-archive/, /oci-archive:/],
      ['oci-archive:half.tar', /half\.tar: the archive ends in the middle/, /damaged/],
      ['oci-archive:noise.tar', /noise\.tar is not a tar archive/, /damaged/],
      ['docker-archive:empty.tar', /empty\.tar is empty/, /damaged/],
      ['docker-archive:no-json.tar', /no-json\.tar: manifest\.json is not JSON/, /damaged/],
      ['docker-archive:changed.tar', /changed\.tar: /, /damaged/],
    ]
    for (const [reference, sentence, hint] of cases)
      expectRefusal(await t.coop(['image', 'pull', '-q', reference]), { code: 5, sentence, hint })
    output(await t.coop(['image', 'pull', '-q', 'oci:layout'])) // positive control
  })

  const kinds: Record<string, (source: string) => void> = {
    'oci:copy': (source) => run(['skopeo', 'copy', '-q', '--insecure-policy', source, 'oci:copy:it'], folder),
    'oci-archive:file.tar': (source) =>
      run(['skopeo', 'copy', '-q', '--insecure-policy', source, 'oci-archive:file.tar:it'], folder),
    'docker-archive:saved.tar': (source) =>
      run(['skopeo', 'copy', '-q', '--insecure-policy', source, 'docker-archive:saved.tar:org/it:1'], folder),
  }
  for (const [reference, make] of Object.entries(kinds))
    test.skipIf(tools.missing)(`${reference}${tools.note}`, async () => {
      make(`oci:${image}`)
      await using t = await scratch(invoker, { git: false })
      const [kind, name] = reference.split(':')
      run(['cp', '-r', join(folder, name ?? ''), t.workspace])
      run(['chmod', '-R', 'a+rX', t.workspace])
      output(await t.coop(['image', 'pull', '-q', reference]))
      const [listed] = JSON.parse(output(await t.coop(['image', 'ls', '--json']))) as {
        reference: string
        layers: number
      }[]
      expect(listed).toMatchObject({ reference: `${kind}:${t.workspace}/${name}`, layers: 2 })
      expectRefusal(await t.coop(['image', 'pull', '-q', `${reference}:other`]), {
        code: 5,
        sentence: /no image named other/,
        hint: /it/,
      })
    })
})
