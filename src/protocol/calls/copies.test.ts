import { describe, expect, test } from 'bun:test'
import { COPY_CALLS, isEntryName, MAX_ENTRIES } from './copies.ts'

/** Returns the call as the parser reads it; throws for a malformed one. */
function read({ do: name, ...request }: { readonly do: string; readonly [field: string]: unknown }): unknown {
  const { request: shape } = COPY_CALLS[name as keyof typeof COPY_CALLS]
  return { do: name, ...(shape.read(request) as object) }
}

const folder = { top: '/a', below: 'b/c' }
const mtime = { seconds: -1, nanoseconds: 5 }

describe('a call of coop cp', () => {
  test('comes out as it went in, and nothing else with it', () => {
    const calls = [
      { do: 'copy.begin', box: 'box', cwd: '/', descriptors: 'token' },
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
    for (const call of calls) expect(read({ ...call, more: 1 })).toEqual(call)
  })

  test('names only what is in the folder', () => {
    for (const name of ['', '.', '..', 'a/b', '/', '../x', 'a\0', 'x'.repeat(256), 'ä€', 7, null]) {
      expect(() => read({ do: 'copy.open', folder, names: [name], follow: false })).toThrow()
      expect(() => read({ do: 'copy.create', folder, entries: [{ type: 'file', name }] })).toThrow()
    }
  })

  test('has its limits', () => {
    const names = Array.from({ length: MAX_ENTRIES + 1 }, (_, at) => `${at}`)
    expect(() => read({ do: 'copy.open', folder, names, follow: false })).toThrow()
    expect(() => read({ do: 'copy.look', path: 'x'.repeat(4096), follow: false })).toThrow()
    expect(() => read({ do: 'copy.look', path: 'a\0b', follow: false })).toThrow()
    expect(() => read({ do: 'copy.list', folder: { top: '/' } })).toThrow()
    expect(() => read({ do: 'copy.settle', folder, mode: 0o10000, mtime })).toThrow()
    expect(() =>
      read({ do: 'copy.settle', folder, mode: 0, mtime: { seconds: 0.5, nanoseconds: 0 } }),
    ).toThrow()
    expect(() => read({ do: 'copy.create', folder, entries: [{ type: 'device', name: 'x' }] })).toThrow()
    expect(() => read({ do: 'copy.finish', files: [-1] })).toThrow()
  })
})

test('a name in a folder is neither the folder nor a way out of it', () => {
  expect(['a', '...', ' ', '\n', '-'].every(isEntryName)).toBe(true)
  expect(['', '.', '..', 'a/b', '/', 'a\0b'].some(isEntryName)).toBe(false)
})
