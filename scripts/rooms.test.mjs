import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bun.mjs'
import { faults, ROOMS as HOUSE, sources } from './rooms.mjs'

const ROOMS = ['low', 'high', '']

test('the house is in order', () => {
  expect(faults(sources())).toEqual([])
})

test('an import that goes up, an unknown room, and whatever is too large are faults', () => {
  const say = (/** @type {[string, string][]} */ ...files) => faults(new Map(files), ROOMS)
  expect(say(['high/a.ts', "import '../low/b.ts'"])).toEqual([])
  expect(say(['low/a.ts', "const b = await import('../high/b.ts')"])).toEqual([
    expect.stringContaining('src/low/a.ts: imports high/b.ts'),
  ])
  expect(say(['low/a.test.ts', "import '../high/b.ts'"])).toEqual([])
  expect(say(['attic/a.ts', ''])).toEqual([expect.stringContaining('no known room')])
  expect(say(['low/a.ts', '\n'.repeat(401)])).toEqual([expect.stringContaining('401 lines')])
  const many = Array.from({ length: 26 }, (_, at) => /** @type {[string, string]} */ ([`low/${at}.ts`, '']))
  expect(say(...many)).toEqual([expect.stringContaining('26 files')])
})

test('docs/architecture.md lists the rooms, in their order', () => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const [, table = ''] = /\| room \| contents \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page) ?? []
  const listed = table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, room = '']) => room))
    .flatMap((room) =>
      room.endsWith('/*') ? HOUSE.filter((one) => one.startsWith(room.slice(0, -1))) : [room],
    )
  const rooms = HOUSE.filter((room) => room !== '')
  expect(listed.toSorted()).toEqual(rooms.toSorted())
  // Related rooms share a line; the others are in the order of the house.
  const alone = (/** @type {string[]} */ names) => names.filter((room) => !room.includes('/'))
  expect(alone(listed)).toEqual(alone(rooms))
})
