/** `coop serve`: signing in, terminals over one connection, the end of the daemon, and the end of serving. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import jsQR from 'jsqr'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { freePort, rawRequest, serve, signIn, WebPage } from '../harness/web.ts'
import { everyone, needed, shell } from '../integration/support.ts'

/** An agent that says what it reads. */
const ECHO = 'bash -c "stty -echo; while read -r line; do echo got:$line; done"'

async function box(t: Scratch, name: string, agent = ECHO): Promise<void> {
  const made = await t.coop(['-d', '-n', name, '--agent', agent])
  expect(made).toMatchObject({ code: 0 })
}

const daemonOf = async (t: Scratch): Promise<number> => {
  const { stdout } = await t.coop(['system', 'status', '--json'])
  return JSON.parse(stdout).pid
}

/**
 * What a phone reads in a QR code of half blocks, whose filled characters are light. The reader misses some codes of a
 * given size, as a phone does before it is moved; what it reads has a checksum.
 */
function scanned(screen: string): string | undefined {
  const rows = screen
    .split('\n')
    .filter((line) => /[█▀▄]{4}/.test(line))
    .flatMap((line) => {
      const cells = [...line.slice(2)]
      return ['█▀', '█▄'].map((light) => cells.map((cell) => light.includes(cell)))
    })
  for (const module of [4, 3, 5, 6, 8]) {
    const width = Math.max(...rows.map(({ length }) => length)) * module
    const height = rows.length * module
    const pixels = new Uint8ClampedArray(width * height * 4)
    for (let at = 0; at < width * height; at++) {
      const row = Math.floor(at / width / module)
      const column = Math.floor((at % width) / module)
      pixels.fill(rows[row]?.[column] ? 255 : 0, at * 4, at * 4 + 3)
      pixels[at * 4 + 3] = 255
    }
    const found = jsQR(pixels, width, height)?.data
    if (found) return found
  }
  return undefined
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`a browser shows, types into and makes terminals${can.note}`, async () => {
    await using t = await scratch(invoker)
    await box(t, 'web-one')
    const served = await serve(t)
    const credentials = await signIn(served)
    using page = await WebPage.open(served, credentials)
    const boxes = (await page.call({ do: 'box.list' })) as { name: string }[]
    expect(boxes.map(({ name }) => name)).toEqual(['web-one'])

    await page.attach('web-one', 1)
    page.input(1, 'hello\n')
    await page.sees(1, 'got:hello')
    await waitUntil(() => page.taken.get(1) === 6, 'a receipt for each byte')

    // A second terminal on the same connection.
    const size = { columns: 80, rows: 24 }
    const opened = {
      do: 'shell.open',
      box: 'web-one',
      cwd: '/',
      command: [],
      fresh: true,
      term: 'xterm-256color',
      size,
    }
    await page.call(opened, 2)
    page.input(2, 'echo $((6 * 7))\n')
    await page.sees(2, '42')

    const made = { workspace: t.folder('home/other'), agent: ECHO, environment: { EVIL: '1' } }
    await page.call({ do: 'box.create', box: made })
    const { stdout } = await t.coop(['ls', '--json'])
    expect(JSON.parse(stdout)).toHaveLength(2)
    const refused = { do: 'box.create', box: { ...made, workspace: t.home } }
    expect(await page.call(refused).catch(({ message }) => message)).toContain('cannot be a workspace')
    const recent = (await page.call({ do: 'folder.recent' })) as { path: string }[]
    expect(recent[0]?.path).toBe(join(t.home, 'other'))
    const listing = (await page.call({ do: 'folder.list', path: '~' })) as { path: string; entries: object[] }
    expect(listing.path).toBe(t.home)
    expect(listing.entries).toContainEqual({ name: 'project', repository: true, box: 'web-one' })

    await page.call({ do: 'box.kill', box: 'web-one', cwd: '/', force: true })
    await page.message(
      (message) => message.type === 'exit' && message.channel === 1,
      'the end of the terminal',
    )
    const ls = await t.coop(['serve', 'ls', '--json'])
    expect(JSON.parse(ls.stdout)).toMatchObject([{ id: credentials.id, name: 'Chrome on Linux', open: 1 }])
  })
})

const can = needed(ordinary)

describe.skipIf(can.missing)(`serving${can.note}`, () => {
  const user = (): Promise<Scratch> => scratch(ordinary)

  test('the daemon that dies in the middle of output costs no byte and no sign-in', async () => {
    await using t = await user()
    await box(t, 'count', 'bash -c "read; for ((i = 0; i < 12000; i++)); do echo line $i; done; exec cat"')
    const served = await serve(t)
    const credentials = await signIn(served)
    const first = await WebPage.open(served, credentials, { client: 99 })
    await first.attach('count', 1)
    first.input(1, '\n')
    await first.sees(1, /line \d/)
    process.kill(await daemonOf(t), 'SIGKILL')
    await first.isClosed()
    const from = first.next.get(1)
    const back = Promise.withResolvers<WebPage>()
    const isBack = async (): Promise<boolean> => {
      const page = await WebPage.open(served, credentials, { client: 99 }).catch(() => undefined)
      if (page) back.resolve(page)
      return page !== undefined
    }
    await waitUntil(isBack, 'the next daemon to serve')
    using again = await back.promise
    await again.attach('count', 1, { from, typed: 1 })
    const text = (): string => (first.shown.get(1) ?? '') + (again.shown.get(1) ?? '')
    await waitUntil(() => text().includes('line 11999\r'), 'the last line')
    const lines = [...text().matchAll(/line (\d+)\r/g)].map(([, n]) => Number(n))
    expect(lines).toEqual(Array.from({ length: 12_000 }, (_, n) => n))
  })

  test('Ctrl+C ends serving, and neither boxes nor sign-ins', async () => {
    await using t = await user()
    await box(t, 'stays')
    const port = freePort()
    await using terminal = await t.coopTerminal(['serve', '--port', String(port)], { columns: 100, rows: 50 })
    await terminal.waitFor(/Ctrl\+C stops serving/)
    const screen = await terminal.screen()
    const [url, token = ''] = /http:\S+#t=([\w-]+)/.exec(screen) ?? []
    expect(scanned(screen)).toBe(url ?? 'an address')
    // The filled characters are the light ground.
    expect(await terminal.screen({ escapes: true })).toMatch(/\x1b\[97m\x1b\[40m██/)
    const served = { origin: `http://127.0.0.1:${port}`, port, token, url: '' }
    const credentials = await signIn(served)
    await terminal.waitFor(/^Chrome on Linux \(127\.0\.0\.1\) signed in$/m)
    using page = await WebPage.open(served, credentials)
    await page.attach('stays', 1)
    expect((await t.coop(['status', 'stays'])).stdout).toContain('Chrome on Linux')
    await terminal.keys('C-c')
    await terminal.waitFor(/coop serves no longer/)
    expect(await page.isClosed()).toMatchObject({ code: 4503, reason: 'stopped' })
    expect((await t.coop(['ls'])).stdout).toContain('stays')
    const again = await serve(t, '--port', String(port))
    expect(again.token).not.toBe(token)
    using back = await WebPage.open(again, credentials)
    expect(await back.call({ do: 'box.list' })).toHaveLength(1)
  })

  test('a second coop serve shows the same address; other options are refused; --stop ends it', async () => {
    await using t = await user()
    const served = await serve(t)
    const same = await t.coop(['serve', '-d'])
    expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining(served.url) })
    expect(await t.coop(['serve', '--readonly'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('coop serves already'),
    })
    expect((await t.coop(['serve', '--stop'])).stdout).toContain('coop serves no longer')
    expect((await t.coop(['serve', '--stop'])).stdout).toContain('coop does not serve')
    expect(fetch(served.origin)).rejects.toThrow()
  })

  test('what cannot be served says why, and what to do', async () => {
    await using t = await user()
    using taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
    const cases = [
      [['--port', String(taken.port)], 1, 'another program listens on 127.0.0.1'],
      [['-d', '--port', String(taken.port)], 1, 'another program listens on 127.0.0.1'],
      [['--host', '0.0.0.0'], 2, 'without encryption'],
      [['--token', 'short'], 2, 'at least 22'],
      [['--host', '192.0.2.77', '--tls'], 1, 'coop cannot listen on 192.0.2.77'],
      [['--stop', '--tls'], 2, '--stop goes with no other option'],
      [['revoke'], 2, 'name one browser'],
      [['revoke', 'nobody'], 2, 'no browser with the id nobody'],
    ] as const
    for (const [args, code, text] of cases)
      expect(await t.coop(['serve', ...args])).toMatchObject({ code, stderr: expect.stringContaining(text) })
    expect((await t.coop(['serve', 'ls'])).stdout).toBe('no browser is signed in\n')
  })

  test('--open hands the address to the browser in a file of the user, and not as an argument', async () => {
    await using t = await user()
    const port = freePort()
    const log = join(t.home, 'opened')
    const opener = t.write(
      join(t.home, 'bin/xdg-open'),
      `#!/bin/sh\necho "$1" > ${log}; cat "\${1#file://}" >> ${log}\n`,
      0o755,
    )
    const PATH = `${dirname(opener)}:${t.env.PATH}`
    const { code, stdout } = await t.coop(['serve', '-d', '--open', '--port', String(port)], {
      env: { PATH },
    })
    expect(code).toBe(0)
    const [url = 'none'] = /http:\S+/.exec(stdout) ?? []
    const [argument = '', ...file] = readFileSync(log, 'utf8').split('\n')
    expect(argument).toMatch(/^file:\/\/\/.*\/open-[\w-]+\.html$/)
    expect(file.join('\n')).toContain(`url=${url}"`)
    expect(existsSync(argument.slice('file://'.length))).toBe(false)
    // A program in a project may be the work of a box.
    const theirs = t.write(
      'node_modules/.bin/xdg-open',
      '#!/bin/sh\n/usr/bin/touch opened-by-project\n',
      0o755,
    )
    const project = await shell(t, `PATH=${dirname(theirs)} coop serve --open`)
    expect(project).toMatchObject({ code: 1, stderr: expect.stringContaining('no program opens pages') })
    expect(existsSync(join(t.workspace, 'opened-by-project'))).toBe(false)
    const none = await shell(t, 'PATH=/nowhere coop serve --open')
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('no program opens pages') })
  })

  test('the settings say where, and a project may not', async () => {
    await using t = await user()
    const port = freePort()
    t.settings(`[serve]\nport = ${port}\n`)
    const { stdout } = await t.coop(['serve', '-d'])
    expect(stdout).toContain(`http://127.0.0.1:${port}/#t=`)
    t.write('coop.toml', '[serve]\nport = 80\n')
    expect(await t.coop(['-d'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('serve.port may not be set'),
    })
  })

  test('over TLS the certificate stays the same, and its fingerprint is printed', async () => {
    await using t = await user()
    const prints = async (): Promise<string> => {
      const { stdout } = await t.coop(['serve', '-d', '--tls', '--port', String(freePort())])
      const [, print = ''] = /^ {2}((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/m.exec(stdout) ?? []
      return print
    }
    const first = await prints()
    await t.coop(['serve', '--stop'])
    expect(first).toHaveLength(95)
    expect(await prints()).toBe(first)
    await t.coop(['serve', '--stop'])
    const served = await serve(t, '--tls', '--host', '0.0.0.0')
    expect(served.origin).toStartWith('https://')
    const own = { ...served, origin: `https://127.0.0.1:${served.port}` }
    const answer = await fetch(`${own.origin}/api/sign-in`, {
      method: 'POST',
      headers: { origin: own.origin },
      body: JSON.stringify({ token: served.token }),
      tls: { rejectUnauthorized: false },
    })
    expect(answer.headers.get('set-cookie')).toContain('; Secure')
    using page = await WebPage.open(own, await signIn(own))
    expect(await page.call({ do: 'box.list' })).toEqual([])
  })

  test('a read-only address lets a browser look, now and after the next start', async () => {
    await using t = await user()
    await box(t, 'shown')
    const served = await serve(t, '--readonly')
    const credentials = await signIn(served)
    const looks = async (page: WebPage): Promise<void> => {
      await page.attach('shown', 1)
      page.input(1, 'typed\n')
      for (const call of [
        { do: 'box.kill', box: 'shown', cwd: '/', force: true },
        { do: 'pty.restart', box: 'shown', cwd: '/', pty: 0, environment: {} },
        { do: 'trust.accept', workspace: '/', asks: [] },
      ])
        expect(page.call(call)).rejects.toThrow(/only look|understand/)
      expect(await page.call({ do: 'box.list' })).toHaveLength(1)
    }
    using page = await WebPage.open(served, credentials)
    await looks(page)
    await t.coop(['serve', '--stop'])
    const full = await serve(t, '--port', String(served.port))
    using old = await WebPage.open(full, credentials)
    await looks(old)
    // The positive control: a browser of the full address may type, and what the others typed never arrived.
    using owner = await WebPage.open(full, await signIn(full))
    await owner.attach('shown', 1)
    owner.input(1, 'mine\n')
    expect(await owner.sees(1, 'got:mine')).not.toContain('typed')
  })

  test('a terminal that nobody reads does not hold up another one on the same connection', async () => {
    await using t = await user()
    await box(t, 'flood', 'bash -c "read; yes"')
    await box(t, 'calm')
    const served = await serve(t)
    using page = await WebPage.open(served, await signIn(served))
    await page.attach('flood', 1)
    await page.attach('calm', 2)
    page.acknowledges = false
    page.input(1, '\n')
    await page.sees(1, 'y')
    page.input(2, 'still here\n')
    await page.sees(2, 'got:still here')
    // What was sent of the flood stays within the window.
    expect((page.shown.get(1) ?? '').length).toBeLessThan(256 << 10)
  })

  test('every file of the page comes compressed, and the rest is not there', async () => {
    await using t = await user()
    const { origin, port } = await serve(t)
    const page = await (await fetch(origin)).text()
    const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path)
    expect(files.length).toBeGreaterThan(2)
    for (const path of files) {
      const answer = await fetch(`${origin}${path}`, { headers: { 'accept-encoding': 'br' } })
      expect([path, answer.status, answer.headers.get('content-encoding')]).toEqual([path, 200, 'br'])
      const etag = answer.headers.get('etag') ?? ''
      expect((await fetch(`${origin}${path}`, { headers: { 'if-none-match': etag } })).status).toBe(304)
      const plain = await fetch(`${origin}${path}`, { headers: { 'accept-encoding': 'identity' } })
      const zipped = await fetch(`${origin}${path}`, { headers: { 'accept-encoding': 'gzip' } })
      expect(await zipped.bytes()).toEqual(await plain.bytes())
    }
    for (const path of [
      '/assets/../package.json',
      '/assets',
      '/..%2f..%2fetc/passwd',
      '/dist/page/index.html',
      '/api/',
    ])
      expect(
        (
          await rawRequest(
            port,
            `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
          )
        ).split('\r\n')[0],
      ).toMatch(/ 40[14] /)
  })
})
