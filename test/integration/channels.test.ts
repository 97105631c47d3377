/** One connection carries many terminals and events, and serves clients of the release before. */
import { describe, expect, test } from 'bun:test'
import { PROTOCOL } from '../../src/protocol/server-messages.ts'
import { RawClient } from '../harness/raw-client.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { needed, startBox } from './support.ts'

const SIZE = { columns: 80, rows: 24 }
const can = needed(ordinary)
const shell = {
  do: 'shell.open',
  box: 'box',
  cwd: '/',
  command: ['/bin/sh'],
  fresh: true,
  term: 'xterm',
  size: SIZE,
}

// The daemon talks only to its own user, and these tests are the client.
describe.skipIf(process.getuid?.() !== ordinary.uid && process.getuid?.() !== 0)('a connection', () => {
  const invoker = process.getuid?.() === 0 ? { ...ordinary, name: 'root', uid: 0, gid: 0 } : ordinary

  test.skipIf(can.missing)(`carries several terminals, each on its channel${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    using client = await RawClient.connect(t, PROTOCOL)
    expect(await client.call(shell, 1)).toMatchObject({ box: 'box', pty: 1 })
    expect(await client.call(shell, 2)).toMatchObject({ box: 'box', pty: 2 })
    client.input(1, 'echo first-$((40+2))\n')
    client.input(2, 'echo second-$((40+3))\n')
    await client.shows(1, 'first-42')
    await client.shows(2, 'second-43')
    expect(client.shown.get(1)).not.toContain('second')
    expect(client.shown.get(2)).not.toContain('first')

    client.send({ type: 'resize', channel: 2, size: { columns: 50, rows: 10 }, visible: true })
    client.input(2, 'stty size\n')
    await client.shows(2, '10 50')
    client.send({ type: 'close', channel: 1 })
    client.input(2, 'exit 3\n')
    const exit = await client.message((message) => message.type === 'exit', 'the end of the second shell')
    expect(exit).toMatchObject({ channel: 2, code: 3, ended: 'command' })
    expect(await client.call({ do: 'box.find', box: 'box', cwd: '/' })).toMatchObject({ clients: 0 })
  })

  test.skipIf(can.missing)(`carries events of boxes${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    using client = await RawClient.connect(t, PROTOCOL)
    await client.call({ do: 'events' })
    await client.call({ do: 'box.stop', box: 'box', cwd: '/', force: true })
    const stopped = await client.message(
      (message) =>
        message.type === 'event' && message.event.event === 'box' && message.event.change === 'stopped',
      'the stop',
    )
    expect(stopped).toMatchObject({ event: { box: 'box', reason: 'coop stop' } })
  })

  test.skipIf(can.missing)(`of a client of protocol 3 is served in that protocol${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: 'sh' })
    using client = await RawClient.connect(t, 3)
    expect(client.messages[0]).toMatchObject({ type: 'hello', protocol: 3 })
    const attach = { do: 'attach', name: 'box', pty: 0, readonly: false, size: SIZE }
    expect(await client.call(attach)).toMatchObject({ box: 'box', pty: 0 })
    client.input(0, 'echo old-$((40+4))\n')
    await client.shows(0, 'old-44')
    expect(await client.call({ do: 'plan', box: { workspace: t.workspace, environment: {} } })).toMatchObject(
      {
        version: 1,
      },
    )
  })
})
