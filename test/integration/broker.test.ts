/** The broker of keys: boxes ask models with a placeholder, and coop adds the key outside of them. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { json, message, type Provider, raw, startProvider } from './provider.ts'
import { everyone, needed, output } from './support.ts'

const KEY = 'sk-real-0123456789abcdefghijklmnopqrstuvwxyz'
const needs = needed(ordinary, 'curl')
const WITH_KEY = { env: { MY_KEY: KEY } }

interface Seat {
  readonly port: number
  readonly token: string
}

/** The user's own settings, with a provider on loopback. */
function configure(t: Scratch, provider: Provider, more = ''): void {
  t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "${provider.url}"${more} }\n`)
}

async function startBox(t: Scratch, name = 'box'): Promise<Seat> {
  output(await t.coop(['-d', '-n', name, '--agent', 'sleep infinity'], WITH_KEY))
  const text = output(await t.coop(['exec', '-n', name, '--', 'env']))
  const port = Number(/^ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:(\d+)\/anthropic$/m.exec(text)?.[1])
  const token = /^ANTHROPIC_API_KEY=(\S+)$/m.exec(text)?.[1] ?? ''
  expect(token).toMatch(/^coop-[\w-]{43}-placeholder-of-coop$/)
  return { port, token }
}

const post = ({ port, token }: Seat, body = '{"model":"x"}', more = ''): string =>
  `POST /anthropic/v1/messages?beta=true HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-api-key: ${token}\r\n${more}content-length: ${body.length}\r\n\r\n${body}`

const ask = (seat: Seat, body?: string, more?: string): Promise<string> =>
  raw(seat.port, post(seat, body, `connection: close\r\n${more ?? ''}`))

const CURL =
  'curl -sS -w " %{http_code}" "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_API_KEY" -H "anthropic-version: 2023-06-01" -H "cookie: a=b" -d "{}"'

describe.each(everyone)('as $name', (invoker) => {
  test.skipIf(needs.missing)('a box asks its provider without having the key', async () => {
    await using provider = await startProvider((_, socket) =>
      socket.write(json(message(1000, 200), '200 OK', ['retry-after: 7', 'set-cookie: a=b'])),
    )
    await using t = await scratch(invoker)
    configure(t, provider)
    const ran = await t.coop(['run', '--', 'sh', '-c', `${CURL}; echo; env`], WITH_KEY)
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.stdout).toContain('"hello"')
    expect(ran.stdout).toContain(' 200\n')
    expect(ran.stdout + ran.stderr).not.toContain(KEY)
    const [sent] = provider.requests
    expect(sent?.head).toStartWith('POST /v1/messages HTTP/1.1\r\n')
    expect(sent?.head).toContain(`x-api-key: ${KEY}`)
    expect(sent?.head).toContain('anthropic-version: 2023-06-01')
    expect(sent?.head).not.toMatch(/placeholder|cookie|^via|^forwarded/im)
    expect(sent?.body).toBe('{}')
  })
})

test.skipIf(needs.missing)(
  'status, protocol and files of coop tell of the key, and never what it is',
  async () => {
    await using provider = await startProvider((_, socket) => socket.write(json(message(1000, 200))))
    await using t = await scratch(ordinary)
    configure(t, provider, ', budget = 2.0')
    const seat = await startBox(t)
    expect(await ask(seat)).toContain('"hello"')
    const status = await t.coop(['status', 'box'])
    expect(output(status).replace(/\n {2,}/g, '')).toMatch(
      /anthropic through the broker \(from env:MY_KEY, for http:\/\/127\.0\.0\.1:\d+\): ready; 1 request, 1000 tokens in, 200 out, \$0\.0060 of \$2\.00/,
    )
    const told = [
      output(status),
      output(await t.coop(['status', 'box', '--json'])),
      output(await t.coop(['budget', '--json'])),
      output(await t.coop(['system', 'logs', '-n', '100'])),
      output(await t.coop(['config', '--json'], WITH_KEY)),
      output(await t.coop(['run', '--plan', '--', 'true'], WITH_KEY)),
    ]
    for (const text of told) expect(text).not.toContain(KEY)
    // The one file that has it is out of reach for boxes, and the user's alone.
    const names = (folder: string): string[] =>
      (readdirSync(folder, { recursive: true }) as string[]).map((name) => join(folder, name))
    const holders = [t.dataDir, t.runtimeDir, t.cacheDir]
      .flatMap(names)
      .filter(
        (file) => statSync(file, { throwIfNoEntry: false })?.isFile() && readFileSync(file).includes(KEY),
      )
    expect(holders).toEqual([join(t.runtimeDir, 'broker-keys.json')])
    expect(statSync(holders[0] ?? '').mode & 0o777).toBe(0o600)
    output(await t.coop(['kill', 'box', '-f']))
    expect(existsSync(join(t.runtimeDir, 'broker-keys.json'))).toBe(false)
  },
)

test.skipIf(needs.missing)(
  'a box goes on with the next daemon, at the same port, and its counts go on',
  async () => {
    await using provider = await startProvider((_, socket) => socket.write(json(message(10, 20))))
    await using t = await scratch(ordinary)
    configure(t, provider)
    const seat = await startBox(t)
    expect(await ask(seat)).toContain('"hello"')
    const { pid } = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as { pid: number }
    await waitUntil(
      () => readFileSync(join(t.dataDir, 'broker.json'), 'utf8').includes('"requests":1'),
      'the count',
    )
    process.kill(pid, 'SIGKILL')
    output(await t.coop(['ls'])) // without the key in its environment
    expect(await ask(seat)).toContain('"hello"')
    const [{ uses }] = JSON.parse(output(await t.coop(['budget', '--json'])))
    expect(uses).toMatchObject([
      { provider: 'anthropic', requests: 2, input: 20, output: 40, state: 'ready' },
    ])
  },
)

test.skipIf(needs.missing)('a budget holds a box back until a person gives more', async () => {
  await using provider = await startProvider((_, socket) => socket.write(json(message(100_000, 0))))
  await using t = await scratch(ordinary)
  configure(t, provider, ', budget = 0.5')
  const seat = await startBox(t)
  expect(await ask(seat)).toStartWith('HTTP/1.1 200 ')
  expect(await ask(seat)).toStartWith('HTTP/1.1 200 ') // 0.30 dollars each
  const refused = await ask(seat)
  expect(refused).toStartWith('HTTP/1.1 402 ')
  expect(refused).toContain('the budget for Anthropic is used up; more of it: coop budget box --add 5')
  expect(provider.requests).toHaveLength(2)
  expect(output(await t.coop(['ls']))).toMatch(/ blocked /)
  expect(output(await t.coop(['status', 'box']))).toMatch(
    /by the broker: the budget for Anthropic is used up/,
  )
  expect(output(await t.coop(['budget']))).toMatch(/box +anthropic +2 +200000 +0 +\$0\.60 +\$0\.50 +paused/)
  expect(output(await t.coop(['budget', 'box', '--add', '1']))).toMatch(/\$1\.50 +ready/)
  expect(await ask(seat)).toStartWith('HTTP/1.1 200 ')
  expect(output(await t.coop(['ls']))).not.toMatch(/ blocked /)
  // More of it in the configuration counts, too.
  for (let turn = 0; turn < 2; turn++) expect(await ask(seat)).toStartWith('HTTP/1.1 200 ')
  expect(await ask(seat)).toStartWith('HTTP/1.1 402 ')
  configure(t, provider, ', budget = 50')
  output(await t.coop(['restart', 'box']))
  expect(output(await t.coop(['ls']))).not.toMatch(/ blocked /)
  expect(await ask(seat)).toStartWith('HTTP/1.1 200 ')
})

test.skipIf(needs.missing)('a box that hangs up before the report pays for what it has had', async () => {
  const event = `event: x\ndata: ${'word '.repeat(800)}\n\n`
  await using provider = await startProvider((_, socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n')
    socket.write(event)
  })
  await using t = await scratch(ordinary)
  configure(t, provider)
  const seat = await startBox(t)
  await raw(seat.port, post(seat), /word/) // and hangs up
  await waitUntil(() => provider.connections.open === 0, 'the end of its connection to the provider')
  const [{ uses }] = JSON.parse(output(await t.coop(['budget', '--json'])))
  expect(uses).toMatchObject([{ requests: 1, estimated: 1 }])
  expect(uses[0].output).toBeGreaterThan(900)
})

test.skipIf(needs.missing)(
  'keys come from files and commands, too, and are read again when they are refused',
  async () => {
    await using provider = await startProvider(({ head }, socket) =>
      socket.write(head.includes('first-key') ? json({}, '401 Unauthorized') : json(message(1, 1))),
    )
    await using t = await scratch(ordinary)
    const file = t.write(join(t.home, 'key'), 'the-first-key\n', 0o600)
    t.settings(`[broker]\nanthropic = { key = "file:~/key", url = "${provider.url}" }\n`)
    const seat = await startBox(t)
    expect(await ask(seat)).toStartWith('HTTP/1.1 401 ')
    t.write(file, 'the-other-key\n', 0o600)
    expect(await ask(seat)).toStartWith('HTTP/1.1 200 ')
    t.settings(
      `[broker]\nanthropic = { key = "command:echo from-a-command; echo x >&2", url = "${provider.url}" }\n`,
    )
    output(await t.coop(['restart', 'box']))
    expect(await ask(seat)).toStartWith('HTTP/1.1 200 ')
    expect(provider.requests.at(-1)?.head).toContain('x-api-key: from-a-command\r\n')
    t.settings(`[broker]\nanthropic = { key = "command:echo oops; exit 3", url = "${provider.url}" }\n`)
    output(await t.coop(['restart', 'box']))
    const failed = await ask(seat)
    expect(failed).toStartWith('HTTP/1.1 503 ')
    expect(failed).not.toContain('oops')
    // What a box can write decides nothing: the workspace is one.
    t.write('planted', 'a-planted-key\n')
    t.settings(
      `[broker]\nanthropic = { key = "file:${join(t.workspace, 'planted')}", url = "${provider.url}" }\n`,
    )
    output(await t.coop(['restart', 'box']))
    expect(await ask(seat)).toContain('is where a box can write')
  },
)

test.skipIf(needs.missing)(
  'variables with the key do not come in another way, and a project cannot name one',
  async () => {
    await using provider = await startProvider((_, socket) => socket.write(json({})))
    await using t = await scratch(ordinary)
    configure(t, provider)
    const flags = [
      '-e',
      `ANTHROPIC_API_KEY=${KEY}`,
      '-e',
      `OTHER=x${KEY}`,
      '-e',
      'CLAUDE_CODE_OAUTH_TOKEN=oat',
      '-e',
      'FINE=1',
    ]
    const ran = await t.coop(['run', ...flags, '--', 'env'], WITH_KEY)
    expect(ran.stdout).toContain('FINE=1\n')
    expect(ran.stdout).not.toContain(KEY)
    expect(ran.stdout).not.toMatch(/^(?:OTHER|CLAUDE_CODE_OAUTH_TOKEN)=/m)
    for (const name of ['ANTHROPIC_API_KEY', 'OTHER', 'CLAUDE_CODE_OAUTH_TOKEN'])
      expect(ran.stderr).toContain(`the box does not get ${name}, because [broker] keeps that key outside`)

    const none = await t.coop(['run', '--network', 'none', '--', 'env'], WITH_KEY)
    expect(none.stderr).toContain('the broker is off in this box, because its network mode is "none"')
    expect(none.stdout).not.toMatch(/^ANTHROPIC_/m)

    const proxy = { env: { ...WITH_KEY.env, https_proxy: 'http://proxy.invalid:1', no_proxy: 'here' } }
    expect(output(await t.coop(['run', '--', 'env'], proxy))).toContain('no_proxy=here,127.0.0.1\n')

    t.write('coop.toml', '[broker]\nanthropic = { key = "command:touch /tmp/pwned" }\n')
    const refused = await t.coop(['run', '--trust', '--', 'true'], WITH_KEY)
    expect(refused).toMatchObject({ code: 125 })
    expect(refused.stderr).toContain('coop.toml:2: broker.anthropic may not be set by a project')
  },
)

test.skipIf(needs.missing)('a key that is written into the file is refused without being shown', async () => {
  await using t = await scratch(ordinary)
  t.settings(`[broker]\nanthropic = { key = "${KEY}" }\n`)
  const ran = await t.coop(['run', '--', 'true'])
  expect(ran).toMatchObject({ code: 125 })
  expect(ran.stderr).toContain('broker.anthropic.key must be "env:NAME"')
  expect(ran.stderr).not.toContain(KEY)
  t.settings('[broker]\nopenai = { key = "keyring:openai" }\n')
  expect((await t.coop(['run', '--', 'true'])).stderr).toContain('secret-tool lookup')
})

test.skipIf(needs.missing)(
  'bodies stream in both directions, and each side waits for the other',
  async () => {
    const big = 24 << 20
    let taken = 0
    await using provider = await startProvider(({ body }, socket) => {
      taken = body.length
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${big}\r\n\r\n`)
      socket.write(Buffer.alloc(big, 'x'))
    })
    await using t = await scratch(ordinary)
    configure(t, provider)
    const seat = await startBox(t)
    const answer = await ask(seat, 'y'.repeat(8 << 20))
    expect(taken).toBe(8 << 20)
    expect(answer.length).toBeGreaterThan(big)
    expect(answer.endsWith('x'.repeat(1000))).toBe(true)
    // The next one has the same connection to the provider.
    await ask(seat)
    expect(provider.connections.made).toBe(1)
  },
)

test.skipIf(needs.missing)(
  'the first byte of a stream comes within a millisecond of a direct one',
  async () => {
    const event =
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n'
    await using provider = await startProvider((_, socket) => {
      socket.write(event)
      setTimeout(() => socket.write('0\r\n\r\n'), 1)
    })
    await using t = await scratch(ordinary)
    configure(t, provider)
    const seat = await startBox(t)
    const time = async (url: string, key: string): Promise<number> => {
      const started = performance.now()
      const answer = await fetch(`${url}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': key },
        body: '{}',
      })
      const reader = answer.body?.getReader()
      await reader?.read()
      const ms = performance.now() - started
      while (!(await reader?.read())?.done);
      return ms
    }
    const [direct, through]: [number[], number[]] = [[], []]
    for (let turn = 0; turn < 320; turn++) {
      const [one, other] = [
        await time(provider.url, 'x'),
        await time(`http://127.0.0.1:${seat.port}/anthropic`, seat.token),
      ]
      if (turn >= 20) {
        direct.push(one)
        through.push(other)
      }
    }
    const at = (times: number[], part: number): number =>
      times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? 0
    const text = (times: number[]): string =>
      `p50 ${at(times, 0.5).toFixed(2)} ms, p99 ${at(times, 0.99).toFixed(2)} ms`
    console.log(`first byte: direct ${text(direct)}; through the broker ${text(through)}`)
    expect(at(through, 0.5) - at(direct, 0.5)).toBeLessThan(1)
  },
)

test.skipIf(needs.missing)('OpenAI and Gemini have their own addresses, headers and reports', async () => {
  await using provider = await startProvider(({ head }, socket) => {
    const isGemini = head.includes('/v1beta/models/')
    const usage = isGemini
      ? { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 } }
      : { usage: { input_tokens: 5, output_tokens: 6 } }
    socket.write(json(usage))
  })
  await using t = await scratch(ordinary)
  const lines = ['openai', 'gemini'].map(
    (name) => `${name} = { key = "env:MY_KEY", url = "${provider.url}/${name}" }`,
  )
  t.settings(`[broker]\n${lines.join('\n')}\n`)
  output(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity'], WITH_KEY))
  const curls = [
    'curl -sS "$OPENAI_BASE_URL/responses" -H "authorization: Bearer $OPENAI_API_KEY" -d "{}"',
    'curl -sS "$GOOGLE_GEMINI_BASE_URL/v1beta/models/gemini-x:streamGenerateContent?alt=sse" -H "x-goog-api-key: $GEMINI_API_KEY" -d "{}"',
    // Codex's own provider asks for a WebSocket first, and goes on without when this is the answer.
    'curl -sS -o /dev/null -w "%{http_code}" "$OPENAI_BASE_URL/responses" -H "authorization: Bearer $OPENAI_API_KEY" -H "connection: upgrade" -H "upgrade: websocket"',
  ]
  const said = output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', curls.join('; ')]))
  expect(said).toEndWith('426')
  const [openai, gemini, ...others] = provider.requests.map(({ head }) => head)
  expect(openai).toStartWith('POST /openai/responses HTTP/1.1\r\n')
  expect(openai).toContain(`authorization: Bearer ${KEY}`)
  expect(gemini).toStartWith('POST /gemini/v1beta/models/gemini-x:streamGenerateContent?alt=sse HTTP/1.1\r\n')
  expect(gemini).toContain(`x-goog-api-key: ${KEY}`)
  expect(gemini).not.toMatch(/authorization/i)
  expect(others).toEqual([])
  const [{ uses }] = JSON.parse(output(await t.coop(['budget', '--json'])))
  expect(uses).toMatchObject([
    { provider: 'openai', requests: 1, input: 5, output: 6 },
    { provider: 'gemini', requests: 1, input: 3, output: 4 },
  ])
})
