import { expect, test } from 'bun:test'
import { parseClientMessage } from '../messages.ts'

const parse = (call: unknown) =>
  parseClientMessage(Buffer.from(JSON.stringify({ type: 'call', id: 1, call })))

test('calls about snapshots are read, with nothing that is not asked for', () => {
  const create = { do: 'snapshot.create', name: 'one', cwd: '/w', workspace: true, ignored: false }
  expect(parse({ ...create, other: 1 })).toEqual({ type: 'call', id: 1, call: create } as never)
  const restore = {
    do: 'snapshot.restore',
    name: 'one',
    cwd: '/',
    workspace: false,
    force: true,
    environment: { A: 'b' },
  }
  expect(parse(restore)).toEqual({ type: 'call', id: 1, call: restore } as never)
})

test.each([
  { do: 'snapshot.create', cwd: '/' },
  { do: 'snapshot.create', name: 'a\0b', cwd: '/' },
  { do: 'snapshot.create', name: 'a', cwd: '/', note: 'x'.repeat(5000) },
  { do: 'snapshot.restore', name: 'a', cwd: '/', environment: [1] },
  { do: 'snapshot.list' },
  { do: 'snapshot.other', cwd: '/' },
])('malformed: %j', (call) => {
  expect(parse(call)).toMatchObject({ type: 'refused' })
})
