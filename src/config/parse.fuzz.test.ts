/** Any coop.toml of a repository may cause only a CoopError, and soon. */
import { expect, test } from 'bun:test'
import { CoopError } from '../core/errors.ts'
import { renderInit } from './init.ts'
import { decodeConfig, MAX_CONFIG_BYTES, parseConfig } from './parse.ts'
import { inherited } from './testing.ts'

const SEED = 20_240_607
const ROUNDS = 6000
const TIME_BOX_MS = 4000 // a slow machine runs fewer rounds
const SLOWEST_MS = 3000 // for a full megabyte; about 0.3 s here

const PIECES = [
  ...'[]{}="\'\\#.,\n\r\t :+-_0159aeEnTZ',
  ...[
    '[[',
    ']]',
    '"""',
    "'''",
    '\\u0041',
    '\\"',
    '__proto__',
    'constructor',
    'toString.call',
    'hasOwnProperty',
    '\u0000',
  ],
  ...[
    '[sandbox]',
    '[env]\n',
    'mounts = ',
    'image',
    'sandbox.',
    '{ host = "/x", target = "/y" }',
    'true',
    'inf',
    '1e9',
    '2024-01-01',
  ],
  ...['🐔', '\ud800', '\u202e', '\u0085', '99999999999999999999', '0x', 'nan', '= ', '\n\n'],
]
const FULL = `${renderInit({ language: 'Go', packageManager: 'go', agent: 'claude' }).replace(/^# (?=[a-z_]+ = )/gm, '')}
[[more.than]]
enough = [ { a.b = "c" }, [1, 2.5], 'x', """y
z""" ]
`

function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes' constants
    return Math.floor((state / 2 ** 32) * below)
  }
}

function attempt(bytes: Uint8Array): void {
  try {
    parseConfig(decodeConfig(bytes, 'coop.toml'), { file: 'coop.toml', layer: 'project' })
  } catch (error) {
    if (!(error instanceof CoopError)) throw error
    expect(error.code).toBe('E_CONFIG')
    expect(error.message).toMatch(/^coop\.toml[: ]/)
    expect(error.message).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
  }
}

test('random bytes, random tokens and mutations of a real file never get past the parser', () => {
  const random = generator(SEED)
  const before = inherited()
  const encoder = new TextEncoder()
  const started = performance.now()
  for (let round = 0; round < ROUNDS && performance.now() - started < TIME_BOX_MS; round++) {
    const kind = round % 3
    if (kind === 0) attempt(Uint8Array.from({ length: random(60) }, () => random(256)))
    else if (kind === 1)
      attempt(
        encoder.encode(Array.from({ length: random(30) }, () => PIECES[random(PIECES.length)]).join('')),
      )
    else {
      let text = FULL
      for (let cuts = 1 + random(4); cuts > 0; cuts--) {
        const at = random(text.length)
        text = text.slice(0, at) + (PIECES[random(PIECES.length)] ?? '') + text.slice(at + random(8))
      }
      attempt(encoder.encode(text))
    }
  }
  expect(inherited()).toBe(before)
}, 30_000)

const fill = (head: string, unit: string, tail = ''): string =>
  head + unit.repeat(Math.floor((MAX_CONFIG_BYTES - head.length - tail.length) / unit.length)) + tail

test.each([
  ['brackets', fill('a=', '[')],
  ['braces', fill('a=', '{a=')],
  ['dots', fill('', 'a.')],
  ['a table of dots', fill('[', 'a.', 'a]')],
  ['a long string', fill('[sandbox]\nimage="', 'x', '"')],
  ['a long key', fill('', 'k', '=1')],
  ['long key, many short ones below', `[${'k'.repeat(500_000)}]\n${'a.b=1\n'.repeat(80_000)}`],
  ['one list', fill('[sandbox]\nargs=[', '"",', ']')],
  ['digits', fill('[limits]\npids=', '9')],
  ['a long size', fill('[limits]\nmemory="', '9', '"')],
  ['a long host', fill('[network]\nallow=["', 'a.', '"]')],
  ['a long host that does not fit', fill('[network]\nallow=["', 'a-', '!"]')],
  ['a long host name', fill('[sandbox]\nhostname="', 'a.', '"')],
  ['tables of a list', fill('', '[[a]]\n')],
  ['quotes', fill('a=', '"')],
  ['backslashes', fill('a="', '\\')],
  ['blank lines', fill('', '\n', '?')],
  ['carriage returns', fill('', '\r', '?')],
  ['spaces', fill('a', ' ')],
  ['variables', `[env]\n${Array.from({ length: 80_000 }, (_, index) => `V${index}=""`).join('\n')}`],
])('a megabyte of %s takes bounded time', (_name, text) => {
  const started = performance.now()
  attempt(new TextEncoder().encode(text))
  expect(performance.now() - started).toBeLessThan(SLOWEST_MS)
})
