import { describe, expect, test } from 'bun:test'
import { homedir } from 'node:os'
import { CoopError } from '../core/errors.ts'
import { mountText, parseMountFlag, specOf } from './mount-flags.ts'

const parse = (value: string) => parseMountFlag(value, '/src/app')
const refusal = (value: string): CoopError => {
  try {
    parse(value)
  } catch (error) {
    if (error instanceof CoopError) return error
    throw error
  }
  throw new Error(`${value} is accepted`)
}

test('sources start at the folder of the caller, and a place in the box may be left out', () => {
  expect(parse('./data:/data')).toEqual({ host: '/src/app/data', target: '/data', readonly: false })
  expect(parse('../lib:/lib-src/:ro')).toEqual({ host: '/src/lib', target: '/lib-src', readonly: true })
  expect(parse('/etc/hosts:~/hosts:rw')).toEqual({ host: '/etc/hosts', target: '~/hosts', readonly: false })
  expect(parse('~/x:/x')).toEqual({ host: `${homedir()}/x`, target: '/x', readonly: false })
  expect(parse('..')).toEqual({ host: '/src', target: '/src', readonly: false })
  expect(parse('/srv/data/')).toEqual({ host: '/srv/data/', target: '/srv/data', readonly: false })
})

test('a bare name is a volume, and needs a place', () => {
  expect(parse('cache:~/.cache')).toEqual({ volume: 'cache', target: '~/.cache', readonly: false })
  expect(specOf(parse('cache:~/.cache:ro'))).toEqual({
    kind: 'volume',
    volume: 'cache',
    target: '~/.cache',
    readonly: true,
  })
  expect(refusal('cache')).toMatchObject({ code: 'E_USAGE' })
  expect(refusal('cache').hint).toContain('-m ./cache')
})

describe('what the configuration refuses is refused', () => {
  test.each([
    ['a:b:c:d', '--mount takes SRC[:DST[:ro]], not "a:b:c:d"', 'for example'],
    ['', '--mount takes', 'for example'],
    ['./x:/x:wo', '--mount takes', 'for example'],
    ['./x:ro', 'in --mount "./x:ro", "ro" must be a path in the box', '-m SRC:DST:ro'],
    [
      'src/lib:/lib-src',
      'in --mount "src/lib:/lib-src", "src/lib" must be the name of a volume',
      './src/lib',
    ],
    ['src/lib', 'in --mount', './src/lib'],
    ['~other/x:/x', 'in --mount', 'for example'],
    ['/x:/proc', 'in --mount "/x:/proc", "/proc" must be', 'for example'],
    ['/', 'must be a path in the box', 'for example'],
    ['/proc/self', 'must be a path in the box', 'for example'],
    ['./x:/a/../b', 'must be a path in the box', 'for example'],
  ])('%p', (value, message, hint) => {
    const error = refusal(value)
    expect(error.code).toBe('E_USAGE')
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })
})

test('a folder with a colon in its name is the folder of the caller all the same', () => {
  const flag = parseMountFlag('./x:/x', '/src/a:b')
  expect(specOf(flag)).toMatchObject({ kind: 'host', source: '/src/a:b/x', target: '/x', force: false })
  expect(mountText(parse('./x:/x:ro'))).toBe('/src/app/x:/x:ro')
})
