import { expect, test } from 'bun:test'
import { type ClientMessage, parseClientMessage } from './messages.ts'
import { parseServerMessage } from './server-messages.ts'

const box = { workspace: '/w', environment: { A: 'b' } }
const size = { columns: 80, rows: 24 }
const MESSAGES: ClientMessage[] = [
  { type: 'hello', protocol: 1, version: '1.2.3' },
  { type: 'hello', protocol: 1, version: '1.2.3', dataDir: '/d' },
  { type: 'resize', size, visible: true },
  { type: 'resize', size, visible: false },
  { type: 'retire' },
  { type: 'signal', signal: 15 },
  {
    type: 'call',
    id: 1,
    call: { do: 'box.create', box: { ...box, name: 'n', image: 'host', env: { X: '1' } } },
  },
  { type: 'call', id: 1, call: { do: 'box.plan', box } },
  { type: 'call', id: 2, call: { do: 'box.find', cwd: '/w' } },
  { type: 'call', id: 2, call: { do: 'box.find', cwd: '/w', box: 'n' } },
  { type: 'call', id: 2, call: { do: 'box.find', cwd: '/w', box: 'n', unknown: true } },
  { type: 'call', id: 3, call: { do: 'box.list' } },
  { type: 'call', id: 4, call: { do: 'box.status', cwd: '/', box: 'n' } },
  { type: 'call', id: 5, call: { do: 'box.kill', cwd: '/', box: 'n', force: true } },
  {
    type: 'call',
    id: 6,
    call: { do: 'run', box, command: { command: ['a', ''], token: 'k', descriptors: 't' } },
  },
  {
    type: 'call',
    id: 7,
    call: {
      do: 'exec',
      cwd: '/',
      box: 'n',
      command: { command: ['a'], token: 'k', terminal: { ...size, term: 'x' } },
    },
  },
  {
    type: 'call',
    id: 8,
    call: { do: 'shell.open', cwd: '/', box: 'n', command: [], fresh: false, term: 'x', size },
  },
  { type: 'call', id: 9, call: { do: 'attach', cwd: '/', box: 'n', pty: 0, readonly: true } },
  { type: 'call', id: 9, call: { do: 'attach', cwd: '/', box: 'n', pty: 0, readonly: false, size } },
  {
    type: 'call',
    id: 9,
    call: {
      do: 'attach',
      cwd: '/',
      box: 'n',
      pty: 0,
      readonly: false,
      size,
      terminal: '/dev/pts/1',
      from: 2 ** 40,
      typed: 3,
    },
  },
  { type: 'call', id: 10, call: { do: 'box.stop', cwd: '/', box: 'n', force: false } },
  { type: 'call', id: 10, call: { do: 'box.start', cwd: '/', box: 'n', environment: { A: 'b' } } },
  { type: 'call', id: 10, call: { do: 'pty.restart', cwd: '/', box: 'n', pty: 1, environment: {} } },
  { type: 'call', id: 10, call: { do: 'pty.kill', cwd: '/', box: 'n', pty: 1 } },
  { type: 'call', id: 10, call: { do: 'logs', cwd: '/', box: 'n', pty: 1, follow: true, from: 7 } },
  { type: 'call', id: 10, call: { do: 'rejoin', token: 'k', from: 7, typed: 0, size } },
]
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

test.each(MESSAGES.map((message) => [JSON.stringify(message), message] as const))(
  '%s is understood',
  (_, message) => {
    expect(parseClientMessage(bytes(message))).toEqual(message)
  },
)

const WRONG = [
  null,
  [],
  'hello',
  {},
  { type: 'hello' },
  { type: 'signal', signal: 0 },
  { type: 'signal', signal: 65 },
  { type: 'signal', signal: 1.5 },
  { type: 'resize', size: { columns: -1, rows: 1 } },
  { type: 'call', id: -1, call: { do: 'box.list' } },
]

test.each(WRONG.map((value) => [JSON.stringify(value), value] as const))('%s is no message', (_, value) => {
  expect(parseClientMessage(bytes(value))).toBeUndefined()
})

const REFUSED = [
  { type: 'call', id: 1 },
  { type: 'call', id: 1, call: { do: 'box.destroy' } },
  { type: 'call', id: 1, call: { do: 'attach', cwd: '/', box: 'n', pty: -1, readonly: false } },
  { type: 'call', id: 1, call: { do: 'logs', cwd: '/', box: 'n', pty: 0, follow: true, from: -1 } },
  { type: 'call', id: 1, call: { do: 'rejoin', token: 'k'.repeat(65) } },
  { type: 'call', id: 1, call: { do: 'box.kill', cwd: '/', box: 'n', force: 'yes' } },
  { type: 'call', id: 1, call: { do: 'box.status', cwd: '/', box: 'a\0b' } },
  { type: 'call', id: 1, call: { do: 'run', box, command: { command: 'rm -rf' } } },
  { type: 'call', id: 1, call: { do: 'box.plan', box: { workspace: '/w', environment: { A: 1 } } } },
]

test.each(REFUSED.map((value) => [JSON.stringify(value), value] as const))('%s is refused', (_, value) => {
  expect(parseClientMessage(bytes(value))).toMatchObject({ type: 'refused', id: 1 })
})

test('a call with something too long is refused with what it is', () => {
  const long = `/${'x'.repeat(4096)}`
  const calls = [
    { do: 'box.find', cwd: '/', box: long },
    { do: 'box.plan', box: { ...box, workspace: long } },
    { do: 'exec', cwd: '/', box: 'n', command: { command: ['a'], token: 'k', cwd: long } },
    { do: 'copy.look', path: long, follow: false },
    { do: 'snapshot.list', cwd: long },
    { do: 'image.publish', source: long, cwd: '/', reference: 'x', force: false },
  ]
  for (const call of calls) {
    const parsed = parseClientMessage(bytes({ type: 'call', id: 7, call }))
    const error = { code: 'E_USAGE', message: expect.stringMatching(/^"\/x{39}…" is too long: it has 4097 /) }
    expect(parsed).toMatchObject({ type: 'refused', id: 7, error })
  }
})

test('damaged messages are no messages, or the same kind of message', () => {
  let seed = 11
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff
    return seed % below
  }
  for (let round = 0; round < 5_000; round++) {
    const damaged = bytes(MESSAGES[random(MESSAGES.length)])
    damaged[random(damaged.length)] = random(256)
    const parsed = parseClientMessage(damaged)
    if (parsed) expect(['hello', 'call', 'refused', 'resize', 'signal', 'retire']).toContain(parsed.type)
  }
})

test('names of the language itself change nothing', () => {
  parseClientMessage(Buffer.from('{"type":"hello","__proto__":{"polluted":1},"protocol":1,"version":"1"}'))
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})

test('a size of nothing is the usual one', () => {
  expect(parseClientMessage(bytes({ type: 'resize', size: { columns: 0, rows: 0 } }))).toEqual({
    type: 'resize',
    size,
    visible: true,
  })
})

test('a size beyond every screen is a large one', () => {
  const message = { type: 'resize', size: { columns: 65_535, rows: 10_000 }, visible: true }
  expect(parseClientMessage(bytes(message))).toMatchObject({ size: { columns: 9999, rows: 9999 } })
})

test('of the daemon only known messages are taken', () => {
  expect(parseServerMessage(bytes({ type: 'notice', text: 'x' }))).toMatchObject({ type: 'notice' })
  expect(parseServerMessage(bytes({ type: 'other' }))).toBeUndefined()
  expect(parseServerMessage(Buffer.from('{'))).toBeUndefined()
})
