/** Clients that ask for much and take no answer: everybody else is served all the same. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { encodeJson, FRAME_JSON, FrameDecoder } from '../../src/protocol/frames.ts'
import { PROTOCOL, parseServerMessage } from '../../src/protocol/server-messages.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { output } from './support.ts'

const CLIENTS = 32
const CALLS = 4_000
// The daemon talks only to its own user, and this test is the client.
const self = invokers.find(({ uid }) => uid === process.getuid?.()) ?? ordinary

/** A client that sends all of its calls, and reads when it is told to. */
async function greedy(t: Scratch): Promise<{ socket: Bun.Socket; answers: () => number }> {
  const decoder = new FrameDecoder()
  let answers = 0
  const calls = Array.from({ length: CALLS }, (_, id) =>
    encodeJson({ type: 'call', id: id + 1, call: { do: 'system.status' } }),
  )
  let rest: Uint8Array = Buffer.concat([
    encodeJson({ type: 'hello', protocol: PROTOCOL, version: '0.1.0', client: 4711 }),
    ...calls,
  ])
  const write = (socket: Bun.Socket): void => {
    rest = rest.subarray(Math.max(0, socket.write(rest)))
  }
  const socket = await Bun.connect({
    unix: join(t.runtimeDir, 'daemon.sock'),
    socket: {
      data: (_, bytes) => {
        for (const { type, payload } of decoder.push(bytes))
          if (type === FRAME_JSON && parseServerMessage(payload)?.type === 'result') answers++
      },
      drain: write,
    },
  })
  socket.pause()
  write(socket)
  return { socket, answers: () => answers }
}

test('32 clients with 4000 calls each that read nothing make nobody wait', async () => {
  await using t = await scratch(self)
  output(await t.coop(['ls']))
  output(await t.coop(['system', 'status']))
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => greedy(t)))
  const start = performance.now()
  output(await t.coop(['ls']))
  const waited = performance.now() - start
  expect(waited).toBeLessThan(2_000)
  // Who reads again gets all of its answers.
  const [first] = clients
  first?.socket.resume()
  await waitUntil(
    () => first?.answers() === CALLS,
    () => `${first?.answers()} answers`,
    20_000,
  )
  for (const { socket } of clients) socket.end()
  const isAlone = async (): Promise<boolean> => {
    const status = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as { clients: number }
    return status.clients === 1
  }
  await waitUntil(isAlone, 'the end of all of them')
})
