/**
 * Attacks on the broker of keys: the key is nowhere in a box, and no request leads elsewhere, past what boxes may ask, or on
 * another box's account.
 */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { json, message, raw, startProvider } from '../integration/provider.ts'
import { output } from '../integration/support.ts'
import { compile, everyone, needed } from './support.ts'

const KEY = 'sk-real-9876543210zyxwvutsrqponmlkjihgfedcba'
const WITH_KEY = { env: { MY_KEY: KEY } }

/** Prints the places where each of its arguments is found, in the memory of every process of the box: `name pid`. */
const SEARCH = `
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char buffer[(1 << 20) + 256];
int main(int count, char **names) {
  // The words come as inverted bytes, so that this program's own memory does not have them.
  static char words[8][256];
  static size_t lengths[8];
  for (int i = 1; i < count && i < 8; i++)
    for (char *at = names[i]; *at; at += 2) {
      unsigned letter;
      sscanf(at, "%2x", &letter);
      words[i][lengths[i]++] = (char)letter;
    }
  DIR *all = opendir("/proc");
  for (struct dirent *one; (one = readdir(all));) {
    int pid = atoi(one->d_name);
    if (!pid) continue;
    char path[64];
    int found[8] = {0}, read_any = 0;
    for (int thing = 0; thing < 3; thing++) {
      if (pid == getpid() && thing == 0) continue;
      snprintf(path, sizeof path, "/proc/%d/%s", pid, thing == 0 ? "mem" : thing == 1 ? "environ" : "cmdline");
      int fd = open(path, O_RDONLY);
      if (fd < 0) continue;
      snprintf(path, sizeof path, "/proc/%d/maps", pid);
      FILE *maps = thing == 0 ? fopen(path, "r") : NULL;
      unsigned long from = 0, to = 1 << 20;
      char line[512];
      while (thing > 0 || (maps && fgets(line, sizeof line, maps))) {
        if (thing == 0 && sscanf(line, "%lx-%lx", &from, &to) != 2) continue;
        for (unsigned long at = from; at < to; at += 1 << 20) {
          size_t want = to - at < sizeof buffer ? to - at : sizeof buffer;
          ssize_t got = pread(fd, buffer, want, at);
          if (got <= 0) continue;
          read_any |= thing == 0;
          for (int i = 1; i < count && i < 8; i++) {
            char word[256];
            for (size_t k = 0; k < lengths[i]; k++) word[k] = words[i][k] ^ 0xff;
            if (memmem(buffer, got, word, lengths[i])) found[i] = 1;
            memset(word, 0, sizeof word);
          }
        }
        if (thing > 0) break;
      }
      if (maps) fclose(maps);
      close(fd);
    }
    printf("%s %d\\n", read_any ? "read" : "closed", pid);
    for (int i = 1; i < count && i < 8; i++) if (found[i]) printf("found%d %d\\n", i, pid);
  }
}
`

const disguised = (word: string): string =>
  Buffer.from(Buffer.from(word).map((byte) => byte ^ 0xff)).toString('hex')

interface Seat {
  readonly port: number
  readonly token: string
}

async function startBox(t: Scratch, name: string): Promise<Seat> {
  output(await t.coop(['-d', '-n', name, '--agent', 'sleep infinity'], WITH_KEY))
  const text = output(await t.coop(['exec', '-n', name, '--', 'env']))
  const port = Number(/^ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:(\d+)\//m.exec(text)?.[1])
  return { port, token: /^ANTHROPIC_API_KEY=(\S+)$/m.exec(text)?.[1] ?? '' }
}

const compiler = needed(ordinary, 'gcc', 'curl')

test.skipIf(compiler.missing).each(everyone)('as $name, the key is nowhere in a box', async (invoker) => {
  await using provider = await startProvider((_, socket) => socket.write(json(message(1, 1))))
  await using t = await scratch(invoker)
  t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "${provider.url}" }\n`)
  t.write('search', compile(SEARCH), 0o755)
  const { token } = await startBox(t, 'box')
  const curl = 'curl -sS "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_API_KEY" -d "{}"'
  expect(output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', curl]))).toContain('"hello"')
  expect(provider.requests[0]?.head).toContain(KEY)

  // A shell keeps its environment in its memory while the search runs: the placeholder must be found there.
  const look = `sh -c "sleep 20 & ./search '${disguised(KEY)}' '${disguised(token)}'; kill \\$!"`
  const said = output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', look]))
  expect(said).toMatch(/^read \d+$/m)
  expect(said).toMatch(/^found2 \d+$/m)
  expect(said).not.toMatch(/^found1 /m)
  expect(said).toMatch(/^closed 1$/m) // init's memory is out of reach

  // Files, with the same control.
  const files = (word: string): string =>
    `w=$(echo '${Buffer.from(word).toString('base64')}' | base64 -d); echo "$w" > /tmp/control; grep -rlsIF --devices=skip --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr -- "$w" / | sort`
  expect(output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', files(KEY)]))).toBe('/tmp/control\n')
})

test('a box cannot lead the broker to another host, or ask for more than models', async () => {
  await using provider = await startProvider((_, socket) => socket.write(json(message(1, 1))))
  await using other = await startProvider((_, socket) => socket.write(json({})))
  await using t = await scratch(ordinary)
  t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "${provider.url}" }\n`)
  const { port, token } = await startBox(t, 'box')
  const elsewhere = other.url.slice('http://'.length)
  const host = `host: 127.0.0.1:${port}\r\n`
  const key = `x-api-key: ${token}\r\n`
  const body = 'content-length: 2\r\n\r\n{}'
  const path = '/anthropic/v1/messages'
  const status = async (request: string): Promise<number> =>
    Number(/^HTTP\/1\.1 (\d+)/.exec(await raw(port, request, /^HTTP[\s\S]*\r\n\r\n/))?.[1] ?? 0)
  const post = (target: string, headers = '', first = host + key): string =>
    `POST ${target} HTTP/1.1\r\n${first}${headers}${body}`

  expect(await status(post(path))).toBe(200) // the control
  const refused: readonly (readonly [name: string, request: string])[] = [
    ['absolute form', post(`http://${elsewhere}${path}`)],
    ['the absolute form of itself', post(`http://127.0.0.1:${port}${path}`)],
    ['CONNECT', `CONNECT ${elsewhere} HTTP/1.1\r\n${host}${key}\r\n`],
    ['two slashes', post(`//${elsewhere}${path}`)],
    ['two slashes behind the prefix', post(`/anthropic//${elsewhere}/v1/messages`)],
    ['an at sign', post(`/anthropic@${elsewhere}/v1/messages`)],
    ['an at sign behind the prefix', post(`/anthropic/@${elsewhere}/v1/messages`)],
    ['climbing', post('/anthropic/v1/../admin')],
    ['climbing at the end', post('/anthropic/v1/messages/..')],
    ['an escaped slash', post('/anthropic/v1%2fmessages')],
    ['an escaped dot', post('/anthropic/%2e%2e/v1/messages')],
    ['a backslash', post('/anthropic\\v1\\messages')],
    ['a fragment', post(`${path}#x`)],
    ['a space', post(`${path} x`)],
    ['another host', post(path, '', `host: ${elsewhere}\r\n${key}`)],
    ['two hosts', post(path, '', `${host}host: ${elsewhere}\r\n${key}`)],
    ['no host', post(path, '', key)],
    ['a name that leads here', post(path, '', `host: evil.example:${port}\r\n${key}`)],
    ['files of the account', `GET /anthropic/v1/files HTTP/1.1\r\n${host}${key}\r\n`],
    ['batches of the account', `GET /anthropic/v1/messages/batches HTTP/1.1\r\n${host}${key}\r\n`],
    ['its administration', `GET /anthropic/v1/organizations/me HTTP/1.1\r\n${host}${key}\r\n`],
    ['another method', `DELETE /anthropic/v1/models/x HTTP/1.1\r\n${host}${key}\r\n`],
    ['another provider', post('/openai/v1/responses')],
    ['a key as a parameter', post(`${path}?key=x`)],
    ['a method as a parameter', post(`${path}?%24httpMethod=GET`)],
    ['a WebSocket', `GET ${path} HTTP/1.1\r\n${host}${key}connection: upgrade\r\nupgrade: websocket\r\n\r\n`],
    ['no token', post(path, '', host)],
    ['a wrong token', post(path, '', `${host}x-api-key: ${token.replace(/^coop-./, 'coop-_')}\r\n`)],
    ['a part of the token', post(path, '', `${host}x-api-key: ${token.slice(0, 20)}\r\n`)],
    ['two tokens', post(path, 'authorization: Bearer x\r\n')],
    ['two lengths', post(path, 'transfer-encoding: chunked\r\n')],
    ['a second length', post(path, 'content-length: 5\r\n')],
    ['a list of lengths', `POST ${path} HTTP/1.1\r\n${host}${key}content-length: 2, 5\r\n\r\n{}`],
    ['a signed length', `POST ${path} HTTP/1.1\r\n${host}${key}content-length: +2\r\n\r\n{}`],
    [
      'an unknown coding',
      `POST ${path} HTTP/1.1\r\n${host}${key}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a space before the colon', post(path, 'x-a : b\r\n')],
    ['a continued line', post(path, 'x-a: b\r\n c: d\r\n')],
    ['a bare line feed', post(path, 'x-a: b\nx-b: c\r\n')],
    ['a head of line feeds', `POST ${path} HTTP/1.1\n${host}${key}\n\n`],
    ['a bare carriage return', post(path, 'x-a: b\rx-b: c\r\n')],
    ['a zero byte', post(path, 'x-a: b\0c\r\n')],
    ['a longer head', post(path, `x-a: ${'b'.repeat(70_000)}\r\n`)],
    ['many headers', post(path, 'x-a: b\r\n'.repeat(200))],
    ['HTTP/1.0', `POST ${path} HTTP/1.0\r\n${host}${key}${body}`],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['no HTTP', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n'],
    ['a body that is too long', `POST ${path} HTTP/1.1\r\n${host}${key}content-length: 99999999999\r\n\r\n`],
    ['a length for GET', `GET /anthropic/v1/models HTTP/1.1\r\n${host}${key}${body}`],
  ]
  for (const [name, request] of refused) {
    const code = await status(request)
    expect(`${name}: ${code >= 400 && code < 600}`).toBe(`${name}: true`)
  }
  expect(provider.requests).toHaveLength(1)
  expect(other.connections.made).toBe(0)

  // What passes is written anew: nothing that the box says about hosts, keys, methods and cookies is in it.
  const smuggled =
    'x-http-method-override: GET\r\ncookie: a=b\r\nx-forwarded-host: evil\r\nconnection: x-private\r\nx-private: 1\r\nproxy-authorization: Basic x\r\nx-other: ' +
    `${token}\r\nx-fine: 1\r\n`
  expect(await status(post(path, smuggled))).toBe(200)
  const { head = '' } = provider.requests.at(-1) ?? {}
  expect(head).toMatch(/^x-fine: 1$/m)
  expect(head).not.toMatch(/override|cookie|forwarded|x-private|proxy-|placeholder/i)
  expect(head.match(/^host: .*$/gm)).toEqual([`host: ${provider.url.slice('http://'.length)}`])

  // A chunked body is read and written anew, so that no chunk hides a request.
  const hidden = `POST ${path} HTTP/1.1\r\n${host}${key}transfer-encoding: chunked\r\n\r\n2;x=1\r\n{}\r\n0\r\ntrailer: x\r\n\r\n`
  expect(await status(hidden)).toBe(200)
  expect(provider.requests.at(-1)?.body).toBe('2\r\n{}\r\n0\r\n\r\n')
  expect(await status(hidden.replace('2;x=1', '2\n'))).toBe(400)
})

test('a box acts for itself alone, and a stopped one not at all', async () => {
  await using provider = await startProvider((_, socket) => socket.write(json(message(10, 10))))
  await using t = await scratch(ordinary)
  t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "${provider.url}" }\n`)
  const [one, other] = [await startBox(t, 'one'), await startBox(t, 'other')]
  expect(one.token).not.toBe(other.token)
  expect(one.port).toBe(other.port)
  const ask = ({ port, token }: Seat): Promise<string> =>
    raw(
      port,
      `POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
    )
  expect(await ask(one)).toStartWith('HTTP/1.1 200 ')
  const all = JSON.parse(output(await t.coop(['budget', '--json']))) as {
    box: string
    uses: { requests: number }[]
  }[]
  expect(all.map(({ box, uses }) => [box, uses[0]?.requests]).toSorted()).toEqual([
    ['one', 1],
    ['other', 0],
  ])
  output(await t.coop(['stop', 'one', '-f']))
  expect(await ask(one)).toStartWith('HTTP/1.1 401 ')
  expect(await ask(other)).toStartWith('HTTP/1.1 200 ')
})

test('what a provider answers cannot bring the key into the box, or lead it elsewhere', async () => {
  let answer = ''
  await using other = await startProvider((_, socket) => socket.write(json({})))
  await using provider = await startProvider((_, socket) => void socket.end(answer))
  await using t = await scratch(ordinary)
  t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "${provider.url}" }\n`)
  const { port, token } = await startBox(t, 'box')
  const ask = (): Promise<string> =>
    raw(
      port,
      `POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-api-key: ${token}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
    )
  answer = `HTTP/1.1 401 Unauthorized\r\ncontent-length: ${KEY.length + 8}\r\n\r\nbad key ${KEY}`
  expect(await ask()).not.toContain(KEY)
  answer = `HTTP/1.1 401 Unauthorized\r\nx-echo: ${KEY}\r\ncontent-length: 0\r\n\r\n`
  expect(await ask()).toStartWith('HTTP/1.1 502 ')
  answer = `HTTP/1.1 307 Temporary Redirect\r\nlocation: ${other.url}/v1/messages\r\ncontent-length: 0\r\n\r\n`
  expect(await ask()).toStartWith('HTTP/1.1 307 ') // passed on, never followed
  expect(other.connections.made).toBe(0)
  for (const odd of [
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    'nonsense\r\n\r\n',
    '',
  ])
    answer = odd
  expect(await ask()).toStartWith('HTTP/1.1 502 ')
  answer =
    'HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\nanthropic-ratelimit-requests-remaining: 0\r\ncontent-length: 2\r\n\r\n{}'
  expect(await ask()).toMatch(
    /^HTTP\/1\.1 429 Too Many Requests\r\nretry-after: 5\r\nanthropic-ratelimit-requests-remaining: 0\r\n/,
  )
})

const openssl = needed(ordinary, 'openssl')

test.skipIf(openssl.missing)('a provider must prove its name', async () => {
  await using t = await scratch(ordinary)
  const files = ['-keyout', 'k.pem', '-out', 'c.pem']
  const made = await t.run([
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    ...files,
  ])
  expect(made.code).toBe(0)
  const read = (name: string): string => readFileSync(join(t.workspace, name), 'utf8')
  const tls = { cert: read('c.pem'), key: read('k.pem') }
  const seen: string[] = []
  const server = Bun.serve({
    ...{ hostname: '127.0.0.1', port: 0, tls },
    fetch: (request) => {
      seen.push(request.headers.get('x-api-key') ?? '')
      return Response.json(message(1, 1))
    },
  })
  try {
    const ask = async (host: string, env: Record<string, string>): Promise<string> => {
      t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "https://${host}:${server.port}" }\n`)
      output(await t.coop(['system', 'shutdown']))
      const curl = 'curl -s "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_API_KEY" -d "{}"'
      return output(await t.coop(['run', '--', 'sh', '-c', curl], { env: { ...WITH_KEY.env, ...env } }))
    }
    expect(await ask('localhost', {})).toContain('the provider could not be asked') // nobody vouches for it
    const trusted = { SSL_CERT_FILE: join(t.workspace, 'c.pem') }
    expect(await ask('127.0.0.1', trusted)).toContain('the provider could not be asked') // it has another name
    expect(seen).toEqual([])
    expect(await ask('localhost', trusted)).toContain('"hello"') // the control
    expect(seen).toEqual([KEY])
  } finally {
    await server.stop(true)
  }
})

test('a program that takes the port while no daemon runs is noticed, and gets no key', async () => {
  await using provider = await startProvider((_, socket) => socket.write(json(message(1, 1))))
  await using t = await scratch(ordinary)
  t.settings(`[broker]\nanthropic = { key = "env:MY_KEY", url = "${provider.url}" }\n`)
  const { port } = await startBox(t, 'box')
  // While the broker listens, nobody else can: neither at its address nor at all of them.
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const squatter = createServer()
    const code = await new Promise((resolve) => {
      squatter.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      squatter.listen({ port, host }, () => squatter.close(() => resolve('listens')))
    })
    expect(code).toBe('EADDRINUSE')
  }
  output(await t.coop(['system', 'shutdown']))
  let connections = 0
  const squatter = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await waitUntil(
    () =>
      new Promise<boolean>((resolve) => {
        squatter.once('error', () => resolve(false))
        squatter.listen({ port, host: '127.0.0.1' }, () => resolve(true))
      }),
    'the port',
  )
  try {
    expect(output(await t.coop(['status', 'box']))).toMatch(/: closed;/)
    const refused = await t.coop(['run', '--', 'true'], WITH_KEY)
    expect(refused.stderr).toContain(
      `the broker cannot listen on 127.0.0.1 port ${port}: another program has it`,
    )
    expect(connections).toBe(0)
  } finally {
    await new Promise((resolve) => squatter.close(resolve))
  }
})
