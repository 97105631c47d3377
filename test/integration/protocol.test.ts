/** Input of the daemon's socket may come from other programs: none of it ends the daemon or fills its memory. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeInput, encodeJson, FRAME_JSON, FrameDecoder } from '../../src/protocol/frames.ts'
import { PROTOCOL, parseServerMessage } from '../../src/protocol/server-messages.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, daemonPid, needed, startBox } from './support.ts'

const ROUNDS = 300
const HELLO = encodeJson({ type: 'hello', protocol: PROTOCOL, version: '0.1.0' })

function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

/** Sends bytes to the daemon as the invoker, and reads its answer until the daemon hangs up or has answered. */
async function send(t: Scratch, bytes: Uint8Array): Promise<void> {
  const done = Promise.withResolvers<void>()
  const socket = await Bun.connect({
    unix: join(t.runtimeDir, 'daemon.sock'),
    socket: { data: () => done.resolve(), close: () => done.resolve(), error: () => done.resolve() },
  })
  socket.write(bytes)
  socket.flush()
  setImmediate(() => done.resolve())
  await done.promise
  socket.end()
}

/** The daemon's answer to a call: its error, or `ok`. */
async function answer(t: Scratch, call: object): Promise<string> {
  const done = Promise.withResolvers<string>()
  const decoder = new FrameDecoder()
  const socket = await Bun.connect({
    unix: join(t.runtimeDir, 'daemon.sock'),
    socket: {
      data: (_, bytes) => {
        for (const { type, payload } of decoder.push(bytes)) {
          const message = type === FRAME_JSON ? parseServerMessage(payload) : undefined
          if (message?.type === 'result') done.resolve('ok')
          if (message?.type === 'error') done.resolve(`${message.error.code}: ${message.error.message}`)
        }
      },
      close: () => done.resolve('closed'),
    },
  })
  socket.write(Buffer.concat([HELLO, encodeJson({ type: 'call', id: 1, call })]))
  try {
    return await done.promise
  } finally {
    socket.end()
  }
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** The call with each of its fields, also inner ones, replaced in turn by each value. */
function* replaced(call: Fields, values: readonly unknown[]): Generator<Fields> {
  for (const [name, field] of Object.entries(call)) {
    if (name === 'do') continue
    for (const value of values) yield { ...call, [name]: value }
    if (isFields(field) && !Array.isArray(field))
      for (const inner of replaced(field, values)) yield { ...call, [name]: inner }
  }
}

const resident = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

describe.each(invokers.filter(({ uid }) => uid === process.getuid?.()))('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`damaged frames and messages do no harm${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const pid = (await daemonPid(t)) ?? -1
    const random = numbers(22)
    const [name, cwd] = ['box', '/']
    const size = { columns: 80, rows: 24 }
    const calls = [
      { do: 'attach', box: name, cwd, pty: 0, readonly: false, size },
      { do: 'logs', box: name, cwd, pty: 0, follow: true, from: 3 },
      { do: 'shell.open', box: name, cwd, command: ['true'], fresh: true, term: 'x', size },
      { do: 'exec', box: name, cwd, command: { command: ['true'], token: 'x', descriptors: 'nowhere' } },
      { do: 'rejoin', token: 'none' },
      { do: 'box.list' },
    ]
    const before = resident(pid)
    for (let round = 0; round < ROUNDS; round++) {
      const call = encodeJson({ type: 'call', id: round, call: calls[random(calls.length)] })
      const input = encodeInput(0, Buffer.alloc(random(5_000), random(256)))
      const whole = Buffer.concat([HELLO, call, input, encodeJson({})])
      const damaged = Buffer.from(whole.subarray(0, 1 + random(whole.length)))
      for (let i = random(6); i > 0; i--) damaged[random(damaged.length)] = random(256)
      await send(t, damaged)
    }
    await send(t, Buffer.from([0xff, 0xff, 0xff, 0xff, 1]))
    expect(await daemonPid(t)).toBe(pid)
    expect(await box(t)).toMatchObject({ state: 'running' })
    await waitUntil(async () => (await box(t)).clients === 0, 'every client to be forgotten')
    expect(resident(pid) - before).toBeLessThan(80)
  })

  test.skipIf(can.missing)(`odd values in every field of a call are answered${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const pid = await daemonPid(t)
    const [name, cwd, environment] = ['box', '/', {}]
    const size = { columns: 80, rows: 24 }
    const options = { workspace: t.workspace, name: 'x', image: 'host', agent: 'sh', network: 'host' }
    const calls = [
      { do: 'box.plan', box: { ...options, environment, env: { A: 'b' } } },
      { do: 'box.find', box: name, cwd },
      { do: 'box.status', box: name, cwd },
      { do: 'box.start', box: name, cwd, environment },
      { do: 'pty.restart', box: name, cwd, pty: 1, environment },
      { do: 'pty.kill', box: name, cwd, pty: 1 },
      { do: 'logs', box: name, cwd, pty: 0, follow: false, from: 0 },
      { do: 'attach', box: name, cwd, pty: 0, readonly: true, size, terminal: 'x', from: 0 },
      { do: 'shell.open', box: name, cwd, command: ['true'], fresh: true, term: 'x', size, terminal: 'x' },
      {
        do: 'exec',
        box: name,
        cwd,
        command: { command: ['true'], token: 'x', terminal: { ...size, term: 'x' }, cwd, env: { A: 'b' } },
      },
      { do: 'rejoin', token: 'x', from: 0, size },
      { do: 'snapshot.create', name: 's', note: 'n', workspace: false, ignored: false, cwd, box: 'none' },
      { do: 'snapshot.restore', name: 's', workspace: false, force: false, environment, cwd, box: name },
      { do: 'snapshot.list', cwd, box: name },
      { do: 'snapshot.remove', name: 's', cwd, box: name },
      { do: 'image.publish', source: 'none', cwd, reference: 'x', force: false },
      { do: 'copy.begin', box: name, cwd, descriptors: 'x' },
      { do: 'copy.look', path: '/x', follow: true },
    ]
    const long = ['x'.repeat(4096), `/${'x'.repeat(4095)}`, `/${'x'.repeat(5000)}`, `/${'é'.repeat(3000)}`]
    const strange = ['', 'a\0b', '\udcff', '\ud800', '\x1b[2J\n', '__proto__', '..', '/none', ['/'], ['']]
    const wrong = [
      null,
      -1,
      1e300,
      1.5,
      true,
      [],
      {},
      { '': '' },
      { 'a=b': 'c' },
      { ['A'.repeat(5000)]: 'x' },
    ]
    const sizes = [{ columns: 70_000, rows: 1 }, { columns: 9999, rows: 9999 }, [1]]
    const bad: string[] = []
    for (const call of calls) {
      for (const odd of replaced(call, [...long, ...strange, ...wrong, ...sizes])) {
        const said = await answer(t, odd)
        if (/^(?:closed|E_INTERNAL)/.test(said)) bad.push(`${JSON.stringify(odd).slice(0, 200)}: ${said}`)
      }
    }
    expect(bad).toEqual([])
    expect(await daemonPid(t)).toBe(pid)
    expect(await box(t)).toMatchObject({ state: 'running' })
  })

  test.skipIf(can.missing)(
    `a client that asks and never reads costs a bounded amount${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: 'seq 1 99999999999' })
      const pid = (await daemonPid(t)) ?? -1
      const before = resident(pid)
      const call = encodeJson({
        type: 'call',
        id: 1,
        call: { do: 'logs', box: 'box', cwd: '/', pty: 0, follow: true },
      })
      const sockets = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = await Bun.connect({
            unix: join(t.runtimeDir, 'daemon.sock'),
            socket: { data: (own) => own.pause() },
          })
          socket.write(Buffer.concat([HELLO, call]))
          return socket
        }),
      )
      await waitUntil(
        async () => {
          const first = (await t.coop(['logs', '-n', '1'])).stdout
          return Number.parseInt(first, 10) > 3_000_000
        },
        'some 20 MB of output',
        30_000,
      )
      expect(resident(pid) - before).toBeLessThan(80)
      for (const socket of sockets) socket.end()
    },
  )
})
