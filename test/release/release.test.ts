/** `npm run release`: the same bytes again, signatures that other programs check, and the rotation of keys. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { signingKey } from '../../scripts/release/keys.ts'
import { CoopError } from '../../src/core/errors.ts'
import { keyId } from '../../src/release/keys.ts'
import { parseManifest, printManifest } from '../../src/release/manifest.ts'
import { readSigned } from '../../src/release/signature.ts'
import { repository } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import { bytesOf, commitIn, type Key, makeKey, ran, release, temporaryFolder, worked } from './support.ts'

const tools = needs('git', 'openssl', 'zstd', 'gzip', 'sha256sum')

describe.skipIf(tools.missing || process.arch !== 'x64')(`releases${tools.note}`, () => {
  const folder = temporaryFolder('coop-releases-')
  const [clone, elsewhere] = [join(folder.path, 'clone'), join(folder.path, 'elsewhere/in a folder')]
  const out = join(folder.path, 'out')
  const v2 = join(out, 'download/v0.2.0')
  let [first, next, third]: Key[] = []
  const keys = (...pair: readonly (Key | undefined)[]) => pair.map((key) => key?.text ?? '').join(',')
  const id = (key: Key | undefined) => keyId(key?.text ?? '')

  // A static server, as any would show the folder; the address becomes a part of the executables.
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async ({ url }) => {
      const file = Bun.file(join(out, new URL(url).pathname))
      return (await file.exists()) ? new Response(file) : new Response('not found', { status: 404 })
    },
  })
  const address = `http://127.0.0.1:${server.port}`

  beforeAll(async () => {
    await Promise.all([commitIn(clone), commitIn(elsewhere)])
    ;[first, next, third] = await Promise.all(
      ['first', 'next', 'third'].map((name) => makeKey(clone, join(folder.path, `${name}.pem`))),
    )
    const args = ['--version', '0.2.0', '--keys', keys(first, next), '--key', first?.file ?? '']
    expect(await release(clone, out, '--releases', address, ...args)).toMatchObject({
      code: 0,
    })
  }, 120_000)
  afterAll(async () => {
    await server.stop(true)
    folder[Symbol.dispose]()
  })

  test('two builds of one commit in two folders have the same bytes, in every file', async () => {
    const again = join(folder.path, 'again')
    const args = ['--version', '0.2.0', '--keys', keys(first, next), '--unsigned']
    const env = ['env', 'TZ=Asia/Tokyo', 'LC_ALL=C.UTF-8']
    const made = await ran([
      ...[...env, 'node', join(elsewhere, 'scripts/release.mjs'), '--out', again, '--target', 'linux-x64'],
      ...['--level', '1', '--releases', address, ...args],
    ])
    expect(made).toMatchObject({ code: 0 })
    const names = readdirSync(v2)
      .filter((name) => name !== 'manifest.txt.sig')
      .sort()
    expect(names).toEqual([
      ...['checksums.txt', 'coop-0.2.0-linux-x64.gz', 'coop-0.2.0-linux-x64.zst', 'coop.1', 'install.sh'],
      'manifest.txt',
    ])
    for (const name of names)
      expect(`${name} ${bytesOf(v2, name).length} ${digest(bytesOf(v2, name))}`).toBe(
        `${name} ${bytesOf(again, 'download/v0.2.0', name).length} ${digest(bytesOf(again, 'download/v0.2.0', name))}`,
      )
  })

  test('sha256sum, openssl, zstd and gzip find what the manifest says, and the executable names its commit', async () => {
    await worked(['sh', '-c', `cd ${v2} && sha256sum -c --strict checksums.txt`])
    const [signer] = readFileSync(join(v2, 'manifest.txt.sig'), 'utf8').split(' ')
    expect(signer).toBe(id(first))
    // As docs/releasing.md says, in a folder of its own.
    const page = readFileSync(join(repository, 'docs/releasing.md'), 'utf8')
    const [, block = ''] = /## Check a release by hand\n+```sh\n([\s\S]*?)```/.exec(page) ?? []
    const [commands = ''] = block.split('# On GitHub')
    const check = (key: Key | undefined, manifest: string) => {
      const script = commands
        .replace('<public key>', key?.text ?? '')
        .replace('-in manifest.txt', `-in ${manifest}`)
      return ran(['sh', '-c', `cd "$0" && set -e && ${script}`, v2Copy])
    }
    const v2Copy = join(folder.path, 'copy')
    cpSync(v2, v2Copy, { recursive: true })
    expect(await check(first, 'manifest.txt')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Signature Verified Successfully'),
    })
    expect((await check(first, 'coop.1')).code).not.toBe(0)
    expect((await check(next, 'manifest.txt')).code).not.toBe(0)

    const manifest = parseManifest(bytesOf(v2, 'manifest.txt'))
    const commit = (await worked(['git', '-C', clone, 'rev-parse', 'HEAD'])).trim()
    expect(manifest).toMatchObject({ version: '0.2.0', commit, time: '2026-11-28T12:00:00Z', revoked: [] })
    const unpacked = join(folder.path, 'unpacked')
    await worked([
      'sh',
      '-c',
      `gzip -dc ${v2}/coop-0.2.0-linux-x64.gz > ${unpacked} && chmod 755 ${unpacked}`,
    ])
    await worked(['sh', '-c', `zstd -dqc ${v2}/coop-0.2.0-linux-x64.zst | cmp - ${unpacked}`])
    expect(manifest.binaries.get('linux-x64')).toEqual({
      size: statSync(unpacked).size,
      sha256: digest(bytesOf(unpacked)),
    })
    expect(await worked([unpacked, '--version'])).toBe(
      `coop 0.2.0 (${commit.slice(0, 12)} 2026-11-28 linux-x64)\n`,
    )
  })

  test('the newest release and install.sh are where clients look, with the address and the keys in it', () => {
    const latest = join(out, 'latest/download')
    expect(readdirSync(latest).sort()).toEqual(readdirSync(v2).sort())
    for (const name of ['manifest.txt', 'manifest.txt.sig', 'install.sh'])
      expect(digest(bytesOf(latest, name))).toBe(digest(bytesOf(v2, name)))
    const installer = readFileSync(join(out, 'install.sh'), 'utf8')
    expect(installer).toContain(`\nCOOP_RELEASES='${address}'\n`)
    expect(installer).toContain(`\nCOOP_KEYS='${first?.text} ${next?.text}'\n`)
  })

  test('rotation: after a release of the next key that revokes the first, the first signs nothing any more', async () => {
    const rotated = ['--version', '0.3.0', '--keys', keys(next, third), '--revoked', id(first)]
    // Whoever forgets to change the key is told before anything is built.
    const forgotten = await release(clone, out, ...rotated, '--key', first?.file ?? '')
    expect([forgotten.code, forgotten.stderr]).toEqual([
      2,
      expect.stringContaining(`belongs to ${id(first)}`),
    ])
    const both = await release(
      clone,
      out,
      ...rotated,
      '--keys',
      keys(first, next),
      '--key',
      first?.file ?? '',
    )
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('is revoked and still in "keys"')])
    const signed = [...rotated, '--releases', address, '--key', next?.file ?? '']
    expect(await release(clone, out, ...signed)).toMatchObject({ code: 0 })

    // A coop 0.2.0 knows the first key and the next one.
    const old = { keys: [first?.text ?? '', next?.text ?? ''], revoked: [] as readonly string[] }
    const read = (at: string, trust: typeof old) =>
      readSigned(bytesOf(at, 'manifest.txt'), bytesOf(at, 'manifest.txt.sig'), trust)
    expect(read(v2, old)).toMatchObject({ signer: id(first), revoked: [] })
    const { manifest, signer, revoked } = read(join(out, 'latest/download'), old)
    expect([manifest.version, signer, revoked]).toEqual(['0.3.0', id(next), [id(first)]])

    // The thief of the first key signs a release that is newer.
    const stolen = signingKey(first?.file, { version: '0.4.0', releases: '', ...old })
    const forged = printManifest({
      ...parseManifest(bytesOf(v2, 'manifest.txt')),
      time: '2027-01-01T00:00:00Z',
    })
    const offered = (trust: typeof old) => () =>
      readSigned(forged, new TextEncoder().encode(stolen(forged)), trust)
    expect(offered(old)).not.toThrow() // before it saw the rotation
    expect(offered({ ...old, revoked })).toThrow(`signed with key ${id(first)}, which was revoked`)
    const rebuilt = { keys: [next?.text ?? '', third?.text ?? ''], revoked: [id(first)] }
    expect(offered(rebuilt)).toThrow(CoopError)
    expect(() => read(v2, rebuilt)).toThrow('which was revoked')
  })

  test('install.sh of the first release and `coop update` of what it installs follow the rotation', async () => {
    await using t = await scratch(ordinary, { git: false })
    const installer = readFileSync(join(v2, 'install.sh'), 'utf8')
    const sh = (command: string, env: Readonly<Record<string, string>> = {}) =>
      t.run(['sh', '-c', command], { timeoutMs: 60_000, env: { COOP_BIN_DIR: t.folder('home/bin'), ...env } })
    writeFileSync(join(t.root, 'install.sh'), installer)
    output(await sh(`sh ${join(t.root, 'install.sh')}`, { COOP_VERSION: '0.2.0' }))
    const coop = join(t.folder('home/bin'), 'coop')
    expect(output(await sh(`${coop} --version`))).toStartWith('coop 0.2.0 (')

    output(await sh(`${coop} update`)) // to what the next key signed
    expect(output(await sh(`${coop} --version`))).toStartWith('coop 0.3.0 (')
    const back = await sh(`${coop} update 0.2.0`)
    expect(back.stderr).toContain(`signed with key ${id(first)}, which was revoked`)
    expect(output(await sh(`${coop} --version`))).toStartWith('coop 0.3.0 (')
  })

  test('what would make a release that nobody can check or build again is refused before the build', async () => {
    const refused = async (...args: readonly string[]) => {
      const { code, stderr } = await release(clone, join(folder.path, 'none'), ...args)
      return `${code} ${stderr}`
    }
    const known = ['--keys', keys(first, next), '--version', '0.2.0']
    expect(await refused(...known)).toStartWith('2 release: a release is signed, and there is no key')
    expect(await refused('--key', third?.file ?? '', ...known)).toContain(
      `belongs to ${id(third)}, which is not in`,
    )
    expect(await refused('--key', join(clone, 'package.json'), ...known)).toContain(
      'is no private Ed25519 key',
    )
    expect(await refused(...known, '--keys', keys(first, next, third))).toContain('more than two keys')
    expect(await refused(...known, '--keys', 'bm9uc2Vuc2U=')).toContain('bm9uc2Vuc2U= is no key')
    expect(await refused('--unsigned', '--version', '0.2')).toContain('0.2 is no version')
    expect(await refused('--unsigned', '--target', 'linux-riscv64')).toContain('linux-riscv64 is no target')
    expect(await refused('--unsigned', '--nonsense')).toContain("'--nonsense'")
    const again = await ran(['node', join(clone, 'scripts/release.mjs'), 'keys', first?.file ?? ''])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('file already exists')])
    expect(statSync(first?.file ?? '').mode & 0o777).toBe(0o600)

    // A registry, or a proxy on the way to it, that sends another Bun.
    const npm = join(folder.path, 'bin/npm')
    mkdirSync(join(folder.path, 'bin'))
    writeFileSync(npm, '#!/bin/sh\necho other > "$4/bun.tgz"\n', { mode: 0o755 })
    const build = ['node', join(clone, 'scripts/build.mjs'), '--release', '0.2.0', join(folder.path, 'none')]
    const other = await ran([...build, '--target', 'linux-arm64'], {
      PATH: `${join(folder.path, 'bin')}:${process.env.PATH}`,
    })
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringContaining('is not what package-lock.json names'),
    ])
    expect(readdirSync(join(clone, 'dist/bun'))).toEqual([])

    appendFileSync(join(elsewhere, 'src/main.ts'), '\n')
    const changed = await release(elsewhere, join(folder.path, 'none'), '--unsigned')
    expect(changed.stderr).toContain('1 files differ from the commit, such as src/main.ts')
    expect(changed.code).toBe(1)
  })
})

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
