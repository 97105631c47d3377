/** What install.sh refuses: the installed release stays and works, and the message says why. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import { ARCHIVE, CASES, changed, DONT, flipped, NETWORK, newer, OLD } from './refused-releases.ts'
import { current, foreign, littleCoop, makeRelease, next, ReleaseServer, sha256 } from './releases.ts'
import {
  coopIn,
  expectRefused,
  filesOf,
  INSTALLED,
  install,
  installedText,
  onlyPrograms,
  temporaryFiles,
} from './support.ts'

const can = needs('curl', 'openssl', 'zstd')
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

  test('refuses a server that never stops', async () => {
    using server = new ReleaseServer()
    const piece = Buffer.alloc(65_536, 35)
    const endless = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(piece) }))
    server.put('latest/download/manifest.txt', endless)
    for (const tool of ['curl', 'wget']) {
      const PATH = onlyPrograms(t, tool, 'gzip', 'sha256sum')
      const refused = await install(t, server, { env: { PATH } })
      expectRefused(refused, /manifest\.txt is larger than the 65536 bytes/, /tell whoever runs/)
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
      ['http://127.0.0.1.example.com', /https/],
      ['http://127.0.0.1@example.com', /https/],
      ['http://[::2]', /https/],
      ['localhost', /https/],
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
    `newest 2026-11-25T12:00:00Z 0.3.0\nrevoked ${current.id}\nsigner ${next.id}\n`,
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

test.skipIf(can.missing)(`a stolen key cannot keep later releases away for good${can.note}`, async () => {
  const rotation = newer({ keys: [next], revoked: [current.id] })
  const far = { version: '0.2.0', binary: littleCoop('0.2.0'), time: '9998-01-01T00:00:00Z' }
  {
    // It names a year in which nothing would be newer.
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(makeRelease(far))
    output(await install(t, server))
    server.publish(newer())
    expectRefused(await install(t, server), /but there was one of 9998-01-01/, /hide/)
    server.publish(rotation)
    output(await install(t, server))
    expect(readFileSync(join(t.root, INSTALLED.seen), 'utf8')).toBe(
      `newest 2026-11-25T12:00:00Z 0.3.0\nrevoked ${current.id}\nsigner ${next.id}\n`,
    )
  }
  // It revokes the other key. The install.sh of the rotation knows better.
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(makeRelease({ ...far, revoked: [next.id] }))
  output(await install(t, server))
  server.publish(rotation)
  expectRefused(await install(t, server), new RegExp(`signed with key ${next.id}, which was revoked`), DONT)
  output(await install(t, server, { values: { keys: [next, foreign], revoked: [current.id] } }))
  expect(installedText(t)).toBe(littleCoop('0.3.0').toString())
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
  // A confined curl, as that of snap.
  const confined = await says('curl', 'echo "curl: (23) Failure writing output to destination" >&2; exit 23')
  expectRefused(confined, /curl cannot write below \S+\/\.local\/bin \(curl: \(23\)/, /snap.*COOP_BIN_DIR/)
  if (process.arch !== 'x64') return
  const old = await says('grep', 'case "$*" in *sse4_2*) echo 0; exit 1 ;; esac; exec /bin/grep "$@"')
  expectRefused(old, /needs a processor with SSE4\.2/, /another machine/)
  expect(server.requests).toEqual([])
})

test.skipIf(can.missing)(
  `certificates are checked, and those of one's own are taken${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(OLD)
    const key = join(t.root, 'key.pem')
    const cert = join(t.root, 'cert.pem')
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1']
    output(
      await t.run([
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'ed25519',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ]),
    )
    using secure = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { key: readFileSync(key), cert: readFileSync(cert) },
      fetch: ({ url }) => {
        const path = new URL(url).pathname
        // A file over plain HTTP, where others could see and change it.
        return path.startsWith('/plain')
          ? Response.redirect(server.base + path.slice(6))
          : fetch(server.base + path)
      },
    })
    const base = `https://127.0.0.1:${secure.port}`
    const env = { COOP_BASE_URL: base }
    expectRefused(
      await install(t, undefined, { env }),
      /could not be downloaded \(curl.*certificate/,
      /CURL_CA_BUNDLE/,
    )
    const trusting = { CURL_CA_BUNDLE: cert }
    const plain = { ...trusting, COOP_BASE_URL: `${base}/plain` }
    expectRefused(
      await install(t, undefined, { env: plain }),
      /could not be downloaded \(curl.*http/,
      /connection/,
    )
    output(await install(t, undefined, { env: { ...env, ...trusting } }))
  },
)
