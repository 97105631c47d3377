import { expect, test } from 'bun:test'
import { type ClientMessage, parseClientMessage, parseServerMessage } from './messages.ts'

const box = { workspace: '/w', environment: { A: 'b' } }
const size = { columns: 80, rows: 24 }
const MESSAGES: ClientMessage[] = [
  { type: 'hello', protocol: 1, version: '1.2.3' },
  { type: 'resize', size },
  { type: 'signal', signal: 15 },
  {
    type: 'call',
    id: 1,
    call: { do: 'box.create', box: { ...box, name: 'n', image: 'host', env: { X: '1' } } },
  },
  { type: 'call', id: 1, call: { do: 'plan', box } },
  { type: 'call', id: 2, call: { do: 'box.find', cwd: '/w' } },
  { type: 'call', id: 2, call: { do: 'box.find', cwd: '/w', box: 'n' } },
  { type: 'call', id: 3, call: { do: 'box.list' } },
  { type: 'call', id: 4, call: { do: 'box.status', name: 'n' } },
  { type: 'call', id: 5, call: { do: 'box.kill', name: 'n', force: true } },
  { type: 'call', id: 6, call: { do: 'run', box, command: { command: ['a', ''], descriptors: 't' } } },
  {
    type: 'call',
    id: 7,
    call: { do: 'exec', name: 'n', command: { command: ['a'], terminal: { ...size, term: 'x' } } },
  },
  { type: 'call', id: 8, call: { do: 'shell.open', name: 'n', command: [], fresh: false, term: 'x', size } },
  { type: 'call', id: 9, call: { do: 'attach', name: 'n', pty: 0, readonly: true } },
  { type: 'call', id: 9, call: { do: 'attach', name: 'n', pty: 0, readonly: false, size } },
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
  { type: 'call', id: 1, call: { do: 'box.destroy' } },
  { type: 'call', id: 1, call: { do: 'box.kill', name: 'n', force: 'yes' } },
  { type: 'call', id: 1, call: { do: 'box.status', name: 'a\0b' } },
  { type: 'call', id: 1, call: { do: 'run', box, command: { command: 'rm -rf' } } },
  { type: 'call', id: 1, call: { do: 'plan', box: { workspace: '/w', environment: { A: 1 } } } },
]

test.each(WRONG.map((value) => [JSON.stringify(value), value] as const))('%s is no message', (_, value) => {
  expect(parseClientMessage(bytes(value))).toBeUndefined()
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
    if (parsed) expect(['hello', 'call', 'resize', 'signal']).toContain(parsed.type)
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
  })
})

test('of the daemon only known messages are taken', () => {
  expect(parseServerMessage(bytes({ type: 'notice', text: 'x' }))).toMatchObject({ type: 'notice' })
  expect(parseServerMessage(bytes({ type: 'other' }))).toBeUndefined()
  expect(parseServerMessage(Buffer.from('{'))).toBeUndefined()
})
