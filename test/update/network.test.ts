/** The ways to a server: proxies, private authorities, bad certificates; and the daily look, which goes only where it was asked to. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { needs, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { littleCoop, type Release, ReleaseServer } from '../install/releases.ts'
import { needed, output } from '../integration/support.ts'
import { build, Installed, little } from './support.ts'

const openssl = needs('openssl')
const root = needsAll({ root: process.getuid?.() === 0, unshare: needs('unshare').missing === false })
const release = little('2.0.0')
const NEWER =
  'coop 2.0.0 is the newest release; this is 1.0.0\n  Boxes are quicker.\ninstall it: coop update\n'

let folder: string
let program: string
beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/coop-network-')
  chmodSync(folder, 0o755)
  program = join(folder, 'coop')
  await build('1.0.0', program)
  if (!openssl.missing) makeCertificates()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inFolder = (name: string) => join(folder, name)

/** An authority of its own, as a company has it, and a server's certificate by it. */
function makeCertificates(): void {
  const run = (...words: readonly string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(['openssl', ...words], {
      cwd: folder,
      stdout: 'ignore',
      stderr: 'pipe',
    })
    if (exitCode !== 0) throw new Error(stderr.toString())
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = ['-subj', '/CN=A company', '-addext', 'basicConstraints=critical,CA:TRUE']
  run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', ...authority)
  run('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=releases.test')
  writeFileSync(inFolder('names'), 'subjectAltName=DNS:releases.test,IP:127.0.0.1')
  run(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-out',
    'server.crt',
    '-days',
    '2',
    '-extfile',
    'names',
  )
  chmodSync(inFolder('ca.crt'), 0o644)
}

/** The release on a server with TLS, at any path that ends with the file's name. */
function encrypted(files: Release) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { key: readFileSync(inFolder('server.key')), cert: readFileSync(inFolder('server.crt')) },
    fetch(request) {
      const file = files.get(new URL(request.url).pathname.split('/').at(-1) ?? '')
      return file ? new Response(new Uint8Array(file)) : new Response('', { status: 404 })
    },
  })
  return { port: server.port ?? 0, [Symbol.dispose]: () => void server.stop(true) }
}

/** A proxy that leads every name to one port here, as one that resolves names itself. */
async function proxyTo(port: number, login?: string) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    client.once('data', (bytes) => {
      const head = bytes.toString('latin1')
      asked.push(head.split('\r\n')[0] ?? '')
      const basic =
        login === undefined ? '' : `proxy-authorization: basic ${Buffer.from(login).toString('base64')}`
      if (!head.toLowerCase().includes(basic.toLowerCase()))
        return client.end(
          'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n',
        )
      const upstream = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => client.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as { port: number }
  return {
    asked,
    at: (name = '') => `http://${name && `${name}@`}127.0.0.1:${own}`,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe.skipIf(openssl.missing)(`an encrypted server${openssl.note}`, () => {
  const BASE = 'https://releases.test/coop/releases'

  test('with a private authority is believed once that authority is known', async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = encrypted(release)
    const it = new Installed(t, program, `https://127.0.0.1:${server.port}`)
    const check = (env: Record<string, string>) => it.coop(['update', '--check'], { env })
    const unknown = await check({})
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toMatch(
      /certificate of 127\.0\.0\.1:\d+ is not trusted \(\w+\) \[E_RELEASE\]\nhint: .*NODE_EXTRA_CA_CERTS/,
    )
    expect(output(await check({ NODE_EXTRA_CA_CERTS: inFolder('ca.crt') }))).toBe(NEWER)
    expect(output(await check({ SSL_CERT_FILE: inFolder('ca.crt') }))).toBe(NEWER)
    expect((await check({ SSL_CERT_FILE: inFolder('missing') })).stderr).toMatch(
      /SSL_CERT_FILE names .*missing, which cannot be read/,
    )
    // The certificate has no such name.
    const other = await it.coop(['update', '--check'], {
      env: { COOP_BASE_URL: `https://localhost:${server.port}`, SSL_CERT_FILE: inFolder('ca.crt') },
    })
    expect(other.stderr).toMatch(/certificate of localhost:\d+ is not trusted/)
  })

  test.skipIf(root.missing)(
    `with an authority that the administrator has added to the system is believed${root.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      using server = encrypted(release)
      const it = new Installed(t, program, `https://127.0.0.1:${server.port}`)
      const bundle = '/etc/ssl/certs/ca-certificates.crt'
      if (!existsSync(bundle)) return
      // In a mount namespace of its own; `setpriv` makes it the ordinary user again.
      const script = `mount --bind "$1" ${bundle} && exec setpriv --reuid=${ordinary.uid} --regid=${ordinary.gid} --init-groups "$2" update --check`
      const words = ['unshare', '--mount', 'sh', '-c', script, 'sh', inFolder('ca.crt'), it.path]
      const env = { ...t.env, COOP_BASE_URL: it.base }
      await using running = Bun.spawn(words, { env, stdout: 'pipe', stderr: 'pipe' })
      const [said, wrong] = [new Response(running.stdout).text(), new Response(running.stderr).text()]
      expect([await running.exited, await said, await wrong]).toEqual([0, NEWER, ''])
    },
  )

  test('is reached through the proxy of the environment, for every file', async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = encrypted(release)
    using proxy = await proxyTo(server.port)
    const ca = { SSL_CERT_FILE: inFolder('ca.crt') }
    const it = new Installed(t, program, BASE)
    output(await it.coop(['update'], { env: { ...ca, HTTPS_PROXY: proxy.at() } }))
    expect(await it.version()).toBe('2.0.0')
    expect(proxy.asked).toEqual(Array(3).fill('CONNECT releases.test:443 HTTP/1.1'))
    it.put(program)
    for (const name of ['https_proxy', 'ALL_PROXY'])
      expect(output(await it.coop(['update', '--check'], { env: { ...ca, [name]: proxy.at() } }))).toBe(NEWER)
    expect(proxy.asked.length).toBe(7)
  })

  test('that NO_PROXY names is asked directly', async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = encrypted(release)
    using proxy = await proxyTo(server.port)
    const it = new Installed(t, program, BASE)
    for (const name of ['releases.test', '.test', '*']) {
      const env = { SSL_CERT_FILE: inFolder('ca.crt'), HTTPS_PROXY: proxy.at(), NO_PROXY: name }
      expect((await it.coop(['update', '--check'], { env })).stderr).toMatch(
        /releases\.test cannot be reached \(E\w+\)/,
      )
    }
    // This machine is never asked through a proxy.
    it.base = `https://127.0.0.1:${server.port}`
    const env = { SSL_CERT_FILE: inFolder('ca.crt'), HTTPS_PROXY: proxy.at() }
    expect(output(await it.coop(['update', '--check'], { env }))).toBe(NEWER)
    expect(proxy.asked).toEqual([])
  })

  test('behind a proxy with a login, or one that does not work', async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = encrypted(release)
    using proxy = await proxyTo(server.port, 'robin:secret')
    const it = new Installed(t, program, BASE)
    const check = (address: string) =>
      it.coop(['update', '--check'], { env: { SSL_CERT_FILE: inFolder('ca.crt'), HTTPS_PROXY: address } })
    expect(output(await check(proxy.at('robin:secret')))).toBe(NEWER)
    expect((await check(proxy.at())).stderr).toMatch(
      /^coop: the proxy wants a login \[E_RELEASE\]\nhint: .*NAME:PASSWORD@HOST/,
    )
    expect((await check('http://127.0.0.1:1')).stderr).toMatch(
      /cannot be reached \(ECONNREFUSED\).*\nhint: .*HTTPS_PROXY/,
    )
    expect((await check('socks5://127.0.0.1:1')).stderr).toMatch(
      /the proxy does not work: UnsupportedProxyProtocol/,
    )
  })
})

const tmux = needs('tmux')
const can = needed(ordinary, 'tmux')

test.skipIf(tmux.missing)(`a terminal has a bar for the download${tmux.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  const large = little('2.0.0', {
    binary: Buffer.concat([littleCoop('2.0.0'), crypto.getRandomValues(new Uint8Array(60_000))]),
  })
  using server = new ReleaseServer(large)
  const name = [...large.keys()].find((one) => one.endsWith('.zst')) ?? ''
  const archive = large.get(name) ?? new Uint8Array()
  const goOn = Promise.withResolvers<void>()
  server.put(`download/v2.0.0/${name}`, () => {
    const half = async (stream: ReadableStreamDefaultController) => {
      stream.enqueue(archive.subarray(0, archive.length / 2))
      await goOn.promise
      stream.enqueue(archive.subarray(archive.length / 2))
      stream.close()
    }
    return new Response(new ReadableStream({ start: (stream) => void half(stream) }))
  })
  const it = new Installed(t, program, server)
  const terminal = await t.terminal(['sh', '-c', `${it.path} update; exec cat`], { env: it.env() })
  await terminal.waitFor(/^coop 2\.0\.0 {2}\[#* *\] {2}\S+\/\d\d\.\dK {2}downloading/m)
  goOn.resolve()
  const screen = await terminal.waitFor(/to go back: coop update --rollback/)
  expect(screen).toMatch(/^coop 2\.0\.0 {2}\[#{24}\] {2}\S+ {2}done$/m)
  expect(screen).toMatch(/^coop 2\.0\.0 is installed in ~\/bin\/coop \(was 1\.0\.0\)$/m)
})

/** Runs `coop` in a terminal, and leaves its agent. */
async function interactive(t: Scratch, it: Installed): Promise<string> {
  const coop = `${it.path} --agent "sh -c 'echo ready; exec sleep 1000'" -q`
  const terminal = await t.terminal(['sh', '-c', `${coop}; echo "CODE $?"; exec cat`], { env: it.env() })
  await terminal.waitFor(/^ready$/m, 20_000)
  await terminal.keys('C-]')
  await terminal.waitFor(/^CODE \d+$/m)
  return await terminal.screen({ history: true })
}

test.skipIf(can.missing)(
  `the daily look is off unless it was asked for, and told once there is something${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(release)
    const it = new Installed(t, program, server)
    await t.coop(['system', 'status']) // makes the scratch end the rest
    expect(await interactive(t, it)).not.toMatch(/coop 2\.0\.0/)
    t.settings('[update]\ncheck = false\n')
    expect(await interactive(t, it)).not.toMatch(/coop 2\.0\.0/)
    expect(server.requests).toEqual([])

    t.settings('[update]\ncheck = true\n')
    expect(await interactive(t, it)).not.toMatch(/coop 2\.0\.0/) // it looks in the background
    const seen = join(t.dataDir, 'releases/seen')
    await waitUntil(
      () => existsSync(seen) && readFileSync(seen, 'utf8').includes('"newest":"2.0.0"'),
      'its result',
    )
    const asked = server.requests.length
    expect(await interactive(t, it)).toMatch(
      /^coop: coop 2\.0\.0 is there, and this is older; install it: coop update$/m,
    )
    // Commands that are no conversation say nothing, and nobody looks again on the same day.
    for (const words of [['ls'], ['run', '--', 'true'], ['--version']]) {
      const { stdout, stderr } = await it.coop(words)
      expect(stdout + stderr).not.toContain('2.0.0')
    }
    expect(server.requests.length).toBe(asked)
    // A day later.
    const record = JSON.parse(readFileSync(seen, 'utf8'))
    writeFileSync(seen, JSON.stringify({ ...record, checked: record.checked - 25 * 3_600_000 }))
    await interactive(t, it)
    await waitUntil(() => server.requests.length > asked, 'another look')
  },
)

test.skipIf(can.missing)(`a daily look that has nowhere to look says so once a day${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  const it = new Installed(t, program, '')
  await t.coop(['system', 'status'])
  t.settings('[update]\ncheck = true\n')
  expect((await interactive(t, it)).replaceAll('\n', '')).toMatch(
    /coop: update\.check is on, but this coop does not know where releases are/,
  )
  expect(await interactive(t, it)).not.toMatch(/update\.check/)
})
