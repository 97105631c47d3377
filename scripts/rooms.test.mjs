import { expect, test } from 'bun:test'
import { faults, sources } from './rooms.mjs'

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
