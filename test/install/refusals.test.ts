/** What install.sh refuses: the installed release stays and works, and the message says why. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import {
  current,
  foreign,
  littleCoop,
  makeRelease,
  next,
  type Release,
  type ReleaseOptions,
  ReleaseServer,
  sha256,
  TARGET,
} from './releases.ts'
import {
  coopIn,
  expectRefused,
  filesOf,
  INSTALLED,
  type InstallOptions,
  install,
  installedText,
  onlyPrograms,
  temporaryFiles,
} from './support.ts'

const can = needs('curl', 'openssl', 'zstd')
const OLD = makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0') })
const newer = (options: Partial<ReleaseOptions> = {}): Release =>
  makeRelease({ version: '0.3.0', binary: littleCoop('0.3.0'), time: '2026-11-25T12:00:00Z', ...options })
const ARCHIVE = `coop-0.3.0-${TARGET}.zst`

/** Changes a byte in the middle. */
function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  const at = copy.length >> 1
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

const changed = (release: Release, name: string, change: (bytes: Uint8Array) => Uint8Array): Release =>
  new Map(release).set(name, change(release.get(name) ?? Buffer.alloc(0)))

const words = (change: (text: string) => string) => (bytes: Uint8Array) =>
  Buffer.from(change(Buffer.from(bytes).toString()))

interface Case {
  /** What the server has in the place of 0.3.0. */
  readonly release: () => Release
  readonly sentence: RegExp
  readonly hint: RegExp
  readonly options?: InstallOptions
}

const DONT = /do not install it, and tell whoever runs/
const NETWORK = /from another network/

const CASES: Readonly<Record<string, Case>> = {
  'an archive with another byte': {
    release: () => changed(newer(), ARCHIVE, flipped),
    sentence: /coop-0\.3\.0-\S+\.zst is not the file that the release names: its SHA-256 differs/,
    hint: NETWORK,
  },
  'an archive that was cut off': {
    release: () => changed(newer(), ARCHIVE, (bytes) => bytes.subarray(0, -1)),
    sentence: /\.zst has \d+ bytes instead of \d+: the download was cut off/,
    hint: /try again/,
  },
  'an archive that goes on': {
    release: () => changed(newer(), ARCHIVE, (bytes) => Buffer.concat([bytes, Buffer.alloc(5000)])),
    sentence: /\.zst is larger than the \d+ bytes that it should have/,
    hint: /tell whoever runs/,
  },
  'a digest of the archive that was changed with it': {
    release: () => {
      const other = newer({ binary: littleCoop('0.3.0', 9) })
      return changed(other, 'manifest.txt.sig', () => newer().get('manifest.txt.sig') ?? Buffer.alloc(0))
    },
    sentence: new RegExp(
      `signature of the release is wrong: manifest\\.txt is not what key ${current.id} signed`,
    ),
    hint: DONT,
  },
  'a manifest with another word': {
    release: () =>
      changed(
        newer(),
        'manifest.txt',
        words((text) => text.replace('quicker', 'slower')),
      ),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'a signature with another byte': {
    release: () =>
      changed(
        newer(),
        'manifest.txt.sig',
        words((text) => text.replace(/ (.)/, (_, c) => ` ${c === 'A' ? 'B' : 'A'}`)),
      ),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'no signature': {
    release: () => new Map([...newer()].filter(([name]) => !name.endsWith('.sig'))),
    sentence: /the release is not signed/,
    hint: DONT,
  },
  'an empty signature': {
    release: () => changed(newer(), 'manifest.txt.sig', () => Buffer.alloc(0)),
    sentence: /signature of the release is empty/,
    hint: DONT,
  },
  'a signature that is a web page': {
    release: () => changed(newer(), 'manifest.txt.sig', () => Buffer.from('<html>\n')),
    sentence: /signature of the release cannot be read/,
    hint: /tell/,
  },
  'the signature of another version': {
    release: () => changed(newer(), 'manifest.txt.sig', () => OLD.get('manifest.txt.sig') ?? Buffer.alloc(0)),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'a signature by a stranger': {
    release: () => newer({ keys: [foreign] }),
    sentence: new RegExp(`signed with key ${foreign.id}, which this install\\.sh does not know`),
    hint: /newest install\.sh/,
  },
  "a stranger's signature in the name of a known key": {
    release: () => newer({ keys: [{ ...foreign, id: current.id }] }),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'a revoked key': {
    release: () => newer(),
    sentence: new RegExp(`signed with key ${current.id}, which was revoked`),
    hint: DONT,
    options: { values: { revoked: [current.id] } },
  },
  'a key that revokes itself': {
    release: () => newer({ revoked: [current.id] }),
    sentence: new RegExp(`the release revokes the key that signed it \\(${current.id}\\)`),
    hint: /tell whoever runs/,
  },
  'an executable of another digest': {
    release: () => newer({ edit: (text) => text.replace(/^(binary \S+ \d+) .*$/m, `$1 ${'0'.repeat(64)}`) }),
    sentence: /the executable in coop-0\.3\.0-\S+ is not the file that the release names/,
    hint: NETWORK,
  },
  'an archive that unpacks to more': {
    release: () => newer({ edit: (text) => text.replace(/^(binary \S+) \d+/m, '$1 100') }),
    sentence: /the executable in coop-0\.3\.0-\S+ has 101 bytes instead of 100/,
    hint: NETWORK,
  },
  'an executable that says another version': {
    release: () => newer({ binary: littleCoop('0.4.0') }),
    sentence: /the executable in \S+ says that it is coop 0\.4\.0/,
    hint: /tell whoever publishes/,
  },
  'an executable that does not start': {
    release: () =>
      newer({ binary: Buffer.from('#!/bin/sh\necho "libstdc++.so.6: not found" >&2; exit 127\n') }),
    sentence: /coop 0\.3\.0 does not start here: libstdc\+\+\.so\.6: not found/,
    hint: /tell whoever publishes/,
  },
  'the release of another version': {
    release: () => newer({ version: '0.3.1' }),
    sentence: /offers 0\.3\.1 where 0\.3\.0 should be/,
    hint: /tell whoever runs/,
    options: { env: { COOP_VERSION: '0.3.0' } },
  },
  'a release for other machines': {
    release: () => newer({ target: 'linux-s390x' }),
    sentence: new RegExp(`coop 0\\.3\\.0 has no zstd archive for ${TARGET}`),
    hint: /COOP_VERSION/,
  },
  'a release for newer kernels': {
    release: () => newer({ kernel: '99.1' }),
    sentence: /coop 0\.3\.0 needs Linux 99\.1 or newer, and this is \d/,
    hint: /update the kernel/,
  },
  'a manifest of a later form': {
    release: () => newer({ edit: (text) => text.replace('coop-release 1', 'coop-release 2') }),
    sentence: /the release has a form that this install\.sh does not know/,
    hint: /newest install\.sh/,
  },
  'a web page in place of a manifest': {
    release: () => newer({ edit: () => '<html>please log in</html>\n' }),
    sentence: /manifest\.txt does not describe a release/,
    hint: /login page/,
  },
  'a manifest whose version is a path': {
    release: () => newer({ edit: (text) => text.replace('version 0.3.0', 'version ../../0.3.0') }),
    sentence: /manifest\.txt of the release cannot be read/,
    hint: /tell whoever runs/,
  },
  'an endless manifest': {
    release: () => newer({ edit: (text) => `${text}${'note \n'.repeat(20_000)}` }),
    sentence: /manifest\.txt is larger than the 65536 bytes/,
    hint: /tell whoever runs/,
  },
  'another man page': {
    release: () => changed(newer(), 'coop.1', flipped),
    sentence: /the man page coop\.1 is not the file/,
    hint: NETWORK,
  },
}

describe.skipIf(can.missing)(`with coop 0.2.0 installed${can.note}`, () => {
  let t: Scratch
  let before: string[]
  beforeAll(async () => {
    t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(OLD)
    output(await install(t, server))
    before = filesOf(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())

  for (const [name, { release, sentence, hint, options }] of Object.entries(CASES)) {
    test(`refuses ${name}`, async () => {
      using server = new ReleaseServer()
      server.publish(release(), { as: '0.3.0' })
      const result = await install(t, server, options)
      expectRefused(result, new RegExp(`${sentence.source}[^\\n]*; coop 0\\.2\\.0 stays as it is\\n`), hint)
      expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
      expect(output(await t.run([coopIn(t), '--version']))).toStartWith('coop 0.2.0 ')
      expect(filesOf(t)).toEqual(before)
      expect(temporaryFiles(t)).toEqual([])
    })
  }

  test('refuses a server that stops in the middle', async () => {
    using server = new ReleaseServer(OLD)
    const release = newer({ binary: littleCoop('0.3.0', 400_000) })
    server.publish(release)
    const archive = release.get(ARCHIVE) ?? Buffer.alloc(0)
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${archive.length}\r\n\r\n`
    const half = Buffer.concat([Buffer.from(head), archive.subarray(0, archive.length >> 1)])
    using stopping = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: { data: (socket) => void socket.end(half) },
    })
    // Releases of GitHub are redirected, too.
    server.put(`download/v0.3.0/${ARCHIVE}`, () => Response.redirect(`http://127.0.0.1:${stopping.port}/`))
    for (const tool of ['curl', 'wget']) {
      const PATH = onlyPrograms(t, tool, 'zstd', 'openssl', 'sha256sum')
      expectRefused(
        await install(t, server, { env: { PATH } }),
        /the download of http\S+\.zst was cut off/,
        /try again/,
      )
    }
    expect(filesOf(t)).toEqual(before)
  })

  test('says what is missing where nothing answers', async () => {
    using server = new ReleaseServer()
    expectRefused(await install(t, server), /there is no release at http/, /check the address/)
    const named = await install(t, server, { env: { COOP_VERSION: '9.9.9' } })
    expectRefused(named, /there is no release 9\.9\.9 at http/, /check COOP_VERSION/)
    expectRefused(
      await install(t, server, { env: { COOP_VERSION: '1' } }),
      /is no version of coop/,
      /0\.2\.0/,
    )
    const gone = server.base
    server[Symbol.dispose]()
    expectRefused(
      await install(t, undefined, { env: { COOP_BASE_URL: gone } }),
      /could not be downloaded \(curl/,
      /https_proxy/,
    )
    for (const [address, hint] of [
      ['http://example.com/coop', /https/],
      ['ftp://127.0.0.1/', /https/],
      ["https://x/'; touch pwned'", /https/],
    ] as const)
      expectRefused(await install(t, undefined, { env: { COOP_BASE_URL: address } }), /COOP_BASE_URL/, hint)
  })
})

test.skipIf(can.missing)(
  `an old list of releases is refused after a newer one was seen${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(newer())
    output(await install(t, server))
    // Going back by name is no reason to believe an old list from then on.
    server.publish(OLD, { latest: false })
    output(await install(t, server, { env: { COOP_VERSION: '0.2.0' } }))
    server.publish(OLD)
    expectRefused(
      await install(t, server),
      /offers the release 0\.2\.0 of 2026-11-20T12:00:00Z as the newest, but there was one of 2026-11-25T12:00:00Z \(0\.3\.0\); coop 0\.2\.0 stays/,
      /may hide a newer one.*COOP_VERSION=0\.2\.0/,
    )
    // What coop update has seen counts, too.
    await using other = await scratch(ordinary, { git: false })
    const record = {
      name: 'release-seen',
      version: 1,
      time: '2026-11-21T00:00:00Z',
      newest: '0.2.1',
      revoked: [next.id],
      checked: 5,
    }
    other.write(join(other.dataDir, 'releases/seen'), `${JSON.stringify(record, undefined, 2)}\n`)
    expectRefused(
      await install(other, server),
      /as the newest, but there was one of 2026-11-21T00:00:00Z \(0\.2\.1\)$/m,
      /hide/,
    )
    server.publish(newer({ keys: [next] }))
    expectRefused(
      await install(other, server),
      new RegExp(`signed with key ${next.id}, which was revoked`),
      DONT,
    )
  },
)

test.skipIf(can.missing)(`keys change: the next one signs, and revokes the first${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(OLD)
  output(await install(t, server))
  server.publish(newer({ keys: [next], revoked: [current.id] }))
  output(await install(t, server))
  expect(readFileSync(join(t.root, INSTALLED.seen), 'utf8')).toBe(
    `newest 2026-11-25T12:00:00Z 0.3.0\nrevoked ${current.id}\n`,
  )
  // Whoever has the first key cannot use it any more, also not with a later time, or a signature of the next one beside.
  const later = { version: '0.4.0', binary: littleCoop('0.4.0'), time: '2026-11-28T12:00:00Z' }
  server.publish(makeRelease({ ...later, keys: [current] }))
  expectRefused(
    await install(t, server),
    new RegExp(`signed with key ${current.id}, which was revoked`),
    DONT,
  )
  server.publish(makeRelease({ ...later, keys: [current, next] }))
  output(await install(t, server))
  expect(readFileSync(join(t.root, INSTALLED.seen), 'utf8')).toContain(`revoked ${current.id}\n`)
})

test.skipIf(can.missing)(
  `a release that is published between two downloads is no attack${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(OLD)
    server.put('latest/download/manifest.txt', () => {
      server.publish(newer())
      return new Response(new Uint8Array(OLD.get('manifest.txt') ?? Buffer.alloc(0)))
    })
    output(await install(t, server))
    expect(installedText(t)).toBe(littleCoop('0.3.0').toString())
  },
)

test.skipIf(can.missing)(
  `an openssl that cannot check is told from a wrong signature${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(changed(OLD, 'manifest.txt.sig', flipped))
    // As 1.1.1 and LibreSSL, which know no -rawin; and one that calls every signature right.
    for (const does of ['exit 1', 'case $1 in base64) cat ;; esac; exit 0']) {
      const folder = t.folder(`programs-${does.length}`)
      t.write(join(folder, 'openssl'), `#!/bin/sh\n${does}\n`, 0o755)
      const PATH = `${folder}:${onlyPrograms(t, 'curl', 'zstd', 'sha256sum')}`
      const result = await install(t, server, { env: { PATH } })
      expect(result.stderr).toBe(
        'note: the signature is not checked: that needs openssl 3.0 or newer. Checksums are, but they come from the same server\n',
      )
      output(result)
      await t.run(['rm', '-r', folder, join(t.root, 'programs-curl-zstd-sha256sum')])
    }
    // Nothing unsigned is remembered.
    expect(existsSync(join(t.root, INSTALLED.seen))).toBe(false)
    // The checksum counts then, too.
    server.publish(changed(newer(), ARCHIVE, flipped))
    const PATH = onlyPrograms(t, 'curl', 'zstd', 'sha256sum')
    expectRefused(
      await install(t, server, { env: { PATH } }),
      /its SHA-256 differs; coop 0\.2\.0 stays/,
      NETWORK,
    )
    expectRefused(await install(t, server), /signature of the release|differs/, /./)
    // And without keys it says so.
    using unsigned = new ReleaseServer(OLD)
    const result = await install(t, unsigned, { values: { keys: [] } })
    expect(result.stderr).toMatch(/^note: this install\.sh has no keys, so the signature is not checked/)
    output(result)
  },
)

test('a machine without what coop needs is told before anything is downloaded', async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(OLD)
  /** Runs it with a program that says something else than the machine's own. */
  const says = async (name: string, prints: string) => {
    const folder = t.folder(`says-${sha256(Buffer.from(name + prints)).slice(0, 8)}`)
    t.write(join(folder, name), `#!/bin/sh\n${prints}\n`, 0o755)
    return await install(t, server, { env: { PATH: `${folder}:${t.env.PATH}` } })
  }
  const uname = (flag: string, word: string) =>
    says('uname', `[ "$1" != ${flag} ] || { echo ${word}; exit; }; exec /bin/uname "$@"`)
  expectRefused(await uname('-s', 'Darwin'), /coop runs on Linux, and this is Darwin/, /virtual machine/)
  expectRefused(await uname('-m', 'riscv64'), /no release for riscv64/, /x86_64 and aarch64/)
  expect(server.requests).toEqual([])
  if (process.arch !== 'x64') return
  const old = await says('grep', 'case "$*" in *avx2*) echo 0; exit 1 ;; esac; exec /bin/grep "$@"')
  expectRefused(old, /coop 0\.2\.0 needs a processor with AVX2, which this one lacks/, /another|newer/)
  server.publish(makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0'), target: 'linux-x64-baseline' }))
  output(await says('grep', 'case "$*" in *avx2*) echo 0; exit 1 ;; esac; exec /bin/grep "$@"'))
})
