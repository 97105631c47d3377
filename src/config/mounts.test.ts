import { expect, test } from 'bun:test'
import { mount } from './mounts.ts'
import { BadValue } from './values.ts'

function problemOf(value: unknown): BadValue {
  try {
    mount.read(value)
  } catch (error) {
    if (error instanceof BadValue) return error
    throw error
  }
  throw new Error('accepted')
}

test('a source that starts like a path is a host folder, a bare name a volume', () => {
  for (const source of ['/', '/a b', '~', '~/x', '.', './x', '../x', '.config']) {
    expect(mount.read(`${source}:/t`)).toMatchObject({ kind: 'host', source, readonly: false, force: false })
  }
  expect(mount.read('cache:~')).toEqual({ kind: 'volume', volume: 'cache', target: '~', readonly: false })
})

test('the third part decides whether it is read-only', () => {
  expect(mount.read('/a:/b:ro').readonly).toBe(true)
  expect(mount.read('/a:/b:rw').readonly).toBe(false)
})

test('tables say the same', () => {
  expect(mount.read({ host: './a:b', target: '/c', readonly: true, force: true })).toEqual({
    kind: 'host',
    source: './a:b',
    target: '/c',
    readonly: true,
    force: true,
  })
  expect(mount.read({ volume: 'v', target: '~/x' })).toEqual({
    kind: 'volume',
    volume: 'v',
    target: '~/x',
    readonly: false,
  })
})

test.each([
  '',
  'a',
  ':/b',
  '/a:',
  '/a:b',
  '/a:/b:rx',
  '/a:/b:ro:z',
  '/a:/../b',
  '/a:~other',
  '~other:/b',
  'a\n:/b',
  '/a\0:/b',
  7,
  null,
  [[]],
  new Date(0),
])('%p is no mount', (value: unknown) => {
  expect(problemOf(value)).toBeInstanceOf(BadValue)
})

test('a path without a dot in front gets one suggested', () => {
  expect(problemOf('src/lib:/lib').near).toBe('./src/lib')
})

test('tables with too much, too little or unknown keys are refused at the key', () => {
  expect(problemOf({ host: '/a', volume: 'b', target: '/c' }).expected).toContain('either')
  expect(problemOf({ target: '/c' }).expected).toContain('either')
  expect(problemOf({ host: '/a' }).at).toBe('.target')
  expect(problemOf({ host: 'a', target: '/c' }).at).toBe('.host')
  expect(problemOf({ host: '/a', target: '/c', readonly: 'yes' }).at).toBe('.readonly')
  expect(problemOf({ volume: 'a', target: '/c', force: true }).at).toBe('.force')
  expect(problemOf({ host: '/a', target: '/c', readonyl: true }).near).toBe('readonly')
})

test('what is shown reads back as the same mount', () => {
  const values: unknown[] = [
    '/a:/b',
    '~/a:~/b:ro',
    'v:/b',
    { host: '/a:b', target: '/c' },
    { host: '/a', target: '/c:d', readonly: true },
    { volume: 'v', target: '/c:d' },
    { host: '/a', target: '/c', force: true },
  ]
  for (const value of values) {
    const spec = mount.read(value)
    expect(mount.read(mount.show(spec))).toEqual(spec)
  }
})
