/**
 * A program on a terminal can be stopped and continued by others of its box, thousands of times in a second. A client
 * that is suspended reads nothing, so the daemon must not keep a message for each.
 */
import { expect, test } from 'bun:test'
import { PROTOCOL } from '../../src/protocol/server-messages.ts'
import { RawClient } from '../harness/raw-client.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { needed, startBox } from './support.ts'

const isRoot = process.getuid?.() === 0
const invoker = isRoot ? { ...ordinary, name: 'root', uid: 0, gid: 0 } : ordinary // the daemon talks only to its own user
const can = needed(ordinary)
const SCRIPT = `p=$$
(i=0; while [ $i -lt 100 ]; do kill -STOP $p; sleep 0.005; kill -CONT $p; i=$((i+1)); done; kill -KILL $p) &
while :; do :; done`

test.skipIf(can.missing)(`a flood of stops is one message${can.note}`, async () => {
  await using t = await scratch(invoker, { git: false })
  await startBox(t)
  using client = await RawClient.connect(t, PROTOCOL)
  const size = { columns: 80, rows: 24 }
  const terminal = { ...size, term: 'xterm', suspends: true }
  const command = { command: ['sh', '-c', SCRIPT], token: crypto.randomUUID(), terminal, env: {} }
  await client.call({ do: 'exec', box: 'box', cwd: '/', command }, 1)
  await client.message(({ type }) => type === 'exit', 'the end of the program')
  expect(client.messages.filter(({ type }) => type === 'stopped')).toHaveLength(1)
})
