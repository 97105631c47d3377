/** Shared by the tests of previews: a server that runs in boxes, and browsers' requests to its preview. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import type { Served, WebPage } from '../harness/web.ts'

/**
 * `node server.mjs FILE [HOST]`: says what it was asked, and echoes WebSocket messages. Its port is in FILE, the Cookie
 * fields that it ever got in FILE.cookies.
 */
const SERVER = `
import { createHash } from 'node:crypto'
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
const [, , file, host = '127.0.0.1'] = process.argv
const server = createServer((request, response) => {
  appendFileSync(file + '.cookies', (request.headers.cookie ?? '-') + '\\n')
  if (request.url === '/page') {
    response.writeHead(200, { 'content-type': 'text/html' })
    return response.end('<!doctype html><title>app</title><p id=p>' + file + '</p>')
  }
  if (request.url === '/count') {
    let bytes = 0
    return request.on('data', (piece) => { bytes += piece.length }).on('end', () => response.end(String(bytes)))
  }
  if (request.url === '/forever') return response.write('data: 1\\n\\n')
  response.setHeader('set-cookie', ['app=1', 'coop-' + (request.headers['x-serve-port'] ?? '') + '=stolen; Path=/'])
  response.end(JSON.stringify({ file, url: request.url, headers: request.headers }))
})
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
  const accept = createHash('sha1').update(key).digest('base64')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('data', (bytes) => {
    if ((bytes[0] & 15) !== 1) return socket.end()
    const [mask, text] = [bytes.subarray(2, 6), bytes.subarray(6)]
    for (let i = 0; i < text.length; i++) text[i] ^= mask[i & 3]
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]))
  })
  socket.on('error', () => {})
})
server.listen(0, host, () => {
  writeFileSync(file + '.new', String(server.address().port))
  renameSync(file + '.new', file)
})
`

/** Starts a box whose agent is that server; returns its port. */
export async function servingBox(
  t: Scratch,
  name: string,
  network: string,
  host = '127.0.0.1',
): Promise<number> {
  t.write('server.mjs', SERVER)
  const agent = `node server.mjs port-${name} ${host}`
  const { code, stderr } = await t.coop(['-d', '-n', name, '--network', network, '--agent', agent])
  if (code !== 0) throw new Error(`The box did not start: ${stderr}`)
  return portIn(join(t.workspace, `port-${name}`))
}

async function portIn(file: string): Promise<number> {
  return Number(await waitUntil(() => readFileSync(file, 'utf8'), `the port in ${file}`))
}

/** A preview as a browser has it open. */
export interface Preview {
  readonly host: string
  readonly cookie: string
  ask(path: string, init?: RequestInit & { headers?: Record<string, string> }): Promise<Response>
}

/** A request with any Host field. */
export function ask(
  served: Pick<Served, 'port' | 'origin'>,
  host: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('host', host)
  const scheme = served.origin.startsWith('https') ? 'https' : 'http'
  const port = /:(\d+)$/.exec(host)?.[1] ?? served.port
  const options = { redirect: 'manual' as const, tls: { rejectUnauthorized: false }, ...init, headers }
  return fetch(`${scheme}://127.0.0.1:${port}${path}`, options)
}

/** The address that the page opens for a port, from the page's own call. */
export async function addressOf(page: WebPage, box: string, port: number, more: object = {}): Promise<URL> {
  const { url } = (await page.call({ do: 'preview.open', box, port, ...more })) as { url: string }
  return new URL(url)
}

/** Opens a preview as a browser does: the ticket becomes a cookie. */
export async function enter(served: Served, url: URL): Promise<Preview> {
  const answer = await ask(served, url.host, url.pathname + url.search)
  if (answer.status !== 303) throw new Error(`the ticket: ${answer.status} ${await answer.text()}`)
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { host } = url
  return {
    host,
    cookie,
    ask: (path, init = {}) => ask(served, host, path, { ...init, headers: { cookie, ...init.headers } }),
  }
}
