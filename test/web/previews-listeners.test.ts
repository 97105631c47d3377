/**
 * Which ports coop takes for a box's. In network mode `host` all programs share one network: a listener of the host, or
 * of another box, must never count as this box's.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { everyone, needed } from '../escape/support.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { serve, signIn, WebPage } from '../harness/web.ts'

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

async function pageOf(t: Scratch): Promise<WebPage> {
  const served = await serve(t)
  return WebPage.open(served, await signIn(served))
}

type Listed = { port: number; process?: string }[]

const portsOf = async (client: WebPage, box: string): Promise<number[]> =>
  ((await client.call({ do: 'preview.list', box })) as Listed).map(({ port }) => port)

const sorted = (ports: readonly number[]): number[] => [...ports].sort((a, b) => a - b)

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'python3')

  test.skipIf(box.missing)('a box has the ports of its own programs and no others', async () => {
    await using t = await scratch(invoker)
    t.write('listen.py', LISTENER)
    t.start(['python3', 'listen.py', 'ports-of-the-host', '127.0.0.1', '0.0.0.0'])
    const ofTheHost = await portsIn(join(t.workspace, 'ports-of-the-host'))
    const one = await listening(t, 'one', 'host', ['127.0.0.1', '0.0.0.0', '::1', '::'])
    const two = await listening(t, 'two', 'host', ['127.0.0.1'])
    const alone = await listening(t, 'alone', 'none', ['127.0.0.1', '::'])
    using client = await pageOf(t)
    expect(await portsOf(client, 'one')).toEqual(sorted(one))
    expect(await portsOf(client, 'two')).toEqual(two)
    expect(await portsOf(client, 'alone')).toEqual(sorted(alone))
    // The control: the host's program does listen, where a box of the same network reaches it.
    const reached = await t.coop([
      'exec',
      '-n',
      'one',
      '--',
      'python3',
      '-c',
      `import socket; socket.create_connection(("127.0.0.1", ${ofTheHost[0]})); print("reached")`,
    ])
    expect(reached.stdout).toBe('reached\n')
    const listed = (await client.call({ do: 'preview.list', box: 'two' })) as Listed
    expect(listed[0]?.process).toBe('python3')
  })

  test.skipIf(box.missing)(
    'programs with another user id in the box are seen, and ends are told',
    async () => {
      await using t = await scratch(invoker)
      const [first] = await listening(t, 'box', 'host', ['127.0.0.1'])
      using client = await pageOf(t)
      await client.call({ do: 'events' })
      expect(await portsOf(client, 'box')).toEqual([first as number])
      const drop = invoker.name === 'coopsolo' ? '' : 'os.setgid(1234); os.setuid(1234);'
      const other = `import os, socket, time; one = socket.socket(); ${drop} one.bind(("127.0.0.1", 0)); one.listen(); print(one.getsockname()[1], flush=True); time.sleep(1000)`
      const program = t.startCoop(['exec', '-n', 'box', '--', 'python3', '-c', other])
      const second = Number((await program.waitFor(/(\d+)\n/))[1])
      await client.message(
        (message) => message.type === 'event' && message.event.event === 'listeners',
        'news of a port',
      )
      expect(await portsOf(client, 'box')).toEqual(sorted([first as number, second]))
    },
  )
})
