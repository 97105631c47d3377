import { describe, expect, test } from 'bun:test'
import { copyCall, isEntryName, MAX_ENTRIES } from './copy-messages.ts'

const folder = { top: '/a', below: 'b/c' }
const mtime = { seconds: -1, nanoseconds: 5 }

describe('a call of coop cp', () => {
  test('comes out as it went in, and nothing else with it', () => {
    const calls = [
      { do: 'copy.begin', name: 'box', descriptors: 'token' },
      { do: 'copy.look', path: '/a\n\xff', follow: true },
      { do: 'copy.open', folder, names: ['a', '\n', '\xff\xfe'], follow: false },
      { do: 'copy.list', folder },
      {
        do: 'copy.create',
        folder,
        entries: [
          { type: 'link', name: 'l', target: '/x', mtime },
          { type: 'file', name: 'f' },
        ],
      },
      { do: 'copy.finish', files: [0, 7] },
      { do: 'copy.settle', folder, mode: 0o1777, mtime },
      { do: 'copy.end' },
    ]
    for (const call of calls) expect<unknown>(copyCall({ ...call, more: 1 })).toEqual(call)
    expect(copyCall({ do: 'box.list' })).toBeUndefined()
  })

  test('names only what is in the folder', () => {
    for (const name of ['', '.', '..', 'a/b', '/', '../x', 'a\0', 'x'.repeat(256), 'ä€', 7, null]) {
      expect(() => copyCall({ do: 'copy.open', folder, names: [name] })).toThrow()
      expect(() => copyCall({ do: 'copy.create', folder, entries: [{ type: 'file', name }] })).toThrow()
    }
  })

  test('has its limits', () => {
    const names = Array.from({ length: MAX_ENTRIES + 1 }, (_, at) => `${at}`)
    expect(() => copyCall({ do: 'copy.open', folder, names })).toThrow()
    expect(() => copyCall({ do: 'copy.look', path: 'x'.repeat(4096) })).toThrow()
    expect(() => copyCall({ do: 'copy.look', path: 'a\0b' })).toThrow()
    expect(() => copyCall({ do: 'copy.list', folder: { top: '/' } })).toThrow()
    expect(() => copyCall({ do: 'copy.settle', folder, mode: 0o10000, mtime })).toThrow()
    expect(() =>
      copyCall({ do: 'copy.settle', folder, mode: 0, mtime: { seconds: 0.5, nanoseconds: 0 } }),
    ).toThrow()
    expect(() => copyCall({ do: 'copy.create', folder, entries: [{ type: 'device', name: 'x' }] })).toThrow()
    expect(() => copyCall({ do: 'copy.finish', files: [-1] })).toThrow()
  })
})

test('a name in a folder is neither the folder nor a way out of it', () => {
  expect(['a', '...', ' ', '\n', '-'].every(isEntryName)).toBe(true)
  expect(['', '.', '..', 'a/b', '/', 'a\0b'].some(isEntryName)).toBe(false)
})
