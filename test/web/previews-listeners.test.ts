/**
 * Which ports coop takes for a box's. In network mode `host` all programs share one network: a listener of the host, or
 * of another box, must never count as this box's.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerMessage } from '../../src/protocol/server-messages.ts'
import { everyone, needed } from '../escape/support.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { serve, signIn, WebPage } from '../harness/web.ts'
import { addressOf, enter } from './preview-support.ts'

/** Listens where its arguments say (`HOST`), and writes the ports into a file. */
const LISTENER = `
import socket, sys, os
held = []
for host in sys.argv[2:]:
    one = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    one.bind((host, 0))
    one.listen(16)
    held.append(one)
with open(sys.argv[1] + '.new', 'w') as file:
    file.write(' '.join(str(one.getsockname()[1]) for one in held))
os.rename(sys.argv[1] + '.new', sys.argv[1])
import time
while True:
    one = held[0].accept()[0]
    one.recv(4096)
    one.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi')
`

/** Starts a box whose agent listens; returns its ports. */
async function listening(
  t: Scratch,
  name: string,
  network: string,
  hosts: readonly string[],
): Promise<number[]> {
  t.write('listen.py', LISTENER)
  const agent = `python3 listen.py ports-${name} ${hosts.join(' ')}`
  const { code, stderr } = await t.coop(['-d', '-n', name, '--network', network, '--agent', agent])
  if (code !== 0) throw new Error(`The box did not start: ${stderr}`)
  return portsIn(join(t.workspace, `ports-${name}`))
}

async function portsIn(file: string): Promise<number[]> {
  const text = await waitUntil(() => readFileSync(file, 'utf8'), `the ports in ${file}`)
  return text.split(' ').map(Number)
}

type Listed = { port: number; process?: string }[]

const portsOf = async (page: WebPage, box: string): Promise<number[]> =>
  ((await page.call({ do: 'preview.list', box })) as Listed).map(({ port }) => port)

const sorted = (ports: readonly number[]): number[] => [...ports].sort((a, b) => a - b)

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'python3')

  test.skipIf(box.missing)(`a box has the ports of its own programs and no others${box.note}`, async () => {
    await using t = await scratch(invoker)
    t.write('listen.py', LISTENER)
    t.start(['python3', 'listen.py', 'ports-of-the-host', '127.0.0.1', '0.0.0.0'])
    const [ofTheHost = 0] = await portsIn(join(t.workspace, 'ports-of-the-host'))
    const one = await listening(t, 'one', 'host', ['127.0.0.1', '0.0.0.0', '::1', '::'])
    const [two = 0] = await listening(t, 'two', 'host', ['127.0.0.1'])
    const alone = await listening(t, 'alone', 'none', ['127.0.0.1', '::'])
    const served = await serve(t)
    using page = await WebPage.open(served, await signIn(served))
    expect(await portsOf(page, 'one')).toEqual(sorted(one))
    expect(await portsOf(page, 'two')).toEqual([two])
    expect(await portsOf(page, 'alone')).toEqual(sorted(alone))

    // The control: the host's program and the other box's do listen, where a box of the same network reaches them.
    const reach = `import socket; [socket.create_connection(("127.0.0.1", one)) for one in (${ofTheHost}, ${two})]; print("reached")`
    const reached = await t.coop(['exec', '-n', 'one', '--', 'python3', '-c', reach])
    expect(reached.stdout).toBe('reached\n')
    const answerOf = async (name: string, port: number): Promise<string> => {
      const preview = await enter(served, await addressOf(page, name, port))
      return (await preview.ask('/')).text()
    }
    expect(await answerOf('two', two)).toBe('hi')
    for (const port of [ofTheHost, two])
      expect(await answerOf('one', port)).toContain(`Nothing listens on port ${port}`)

    // A program with another id of the box, which the daemon itself could not look at.
    await page.call({ do: 'events' })
    const drop = invoker.name === 'coopsolo' ? '' : 'os.setgid(1234); os.setuid(1234);'
    const other = `import os, socket, time; one = socket.socket(); ${drop} one.bind(("127.0.0.1", 0)); one.listen(); print(one.getsockname()[1], flush=True); time.sleep(1000)`
    const program = t.startCoop(['exec', '-n', 'two', '--', 'python3', '-c', other])
    const third = Number((await program.waitFor(/(\d+)\n/))[1])
    const isNews = (message: ServerMessage): boolean =>
      message.type === 'event' && message.event.event === 'listeners' && message.event.box === 'two'
    await page.message(isNews, 'news of a port')
    expect(await portsOf(page, 'two')).toEqual(sorted([two, third]))
  })
})
