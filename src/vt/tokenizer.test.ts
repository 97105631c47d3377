import { describe, expect, test } from 'bun:test'
import { MAX_CLIPBOARD, MAX_STRING } from './limits.ts'
import { bytesOf, fuzz, randomSplit, rawBytes, type Token, tokens } from './testing.ts'
import { Tokenizer } from './tokenizer.ts'

const parse = (text: string): Token[] => tokens([bytesOf(text)])
const kinds = (text: string): string[] => parse(text).map(({ is, bytes }) => `${is} ${JSON.stringify(bytes)}`)

function one(text: string) {
  const [token, ...more] = parse(text)
  if (!token || !('sequence' in token) || more.length) throw new Error(`no single sequence: ${kinds(text)}`)
  return token.sequence
}

const silent = { text: () => {}, control: () => {}, sequence: () => {} }

describe('sequences', () => {
  test('text, controls and sequences come in their order', () => {
    expect(kinds('a\x1b[31mb\r\n\x1b]0;t\x07c\x1b(0')).toEqual([
      'text "a"',
      'csi "\\u001b[31m"',
      'text "b"',
      'control "\\r"',
      'control "\\n"',
      'osc "\\u001b]0;t\\u0007"',
      'text "c"',
      'esc "\\u001b(0"',
    ])
  })

  test('prefix, parameters, intermediates and final of a CSI are told apart', () => {
    const { prefix, parameters, numbers, intermediates, final } = one('\x1b[?25;1:2;$p')
    expect({ prefix, parameters, numbers, intermediates, final }).toEqual({
      prefix: 0x3f,
      parameters: '25;1:2;',
      numbers: [25, 1, 0],
      intermediates: 0x24,
      final: 0x70,
    })
  })

  test.each([
    ['osc', '\x1b]8;;http://x\x1b\\', '8;;http://x'],
    ['osc', '\x1b]0;ä\x07', '0;\xc3\xa4'],
    ['dcs', '\x1bP1$r0m\x1b\\', '0m'],
    ['apc', '\x1b_Ga=q;AAAA\x1b\\', 'Ga=q;AAAA'],
    ['pm', '\x1b^private\x1b\\', 'private'],
    ['sos', '\x1bXany\x07thing\x1b\\', 'any\x07thing'],
    ['title', '\x1bkwindow\x1b\\', 'window'],
  ] as const)('an %s ends with ST, an OSC with BEL too', (kind, text, payload) => {
    expect(one(text)).toMatchObject({ kind, text: payload, malformed: false, begin: 0 })
  })

  test('CAN, SUB and ESC abort what is under way', () => {
    expect(kinds('\x1b[3\x18a')).toEqual(['text "a"'])
    expect(kinds('\x1b]0;x\x1aa')).toEqual(['text "a"'])
    expect(kinds('\x1b]0;x\x1b[1ma')).toEqual(['csi "\\u001b[1m"', 'text "a"'])
    expect(kinds('\x1b\x1b\x1b[1m')).toEqual(['csi "\\u001b[1m"'])
  })

  test('a control inside a sequence acts at once, and the sequence is malformed', () => {
    const [control, sequence] = parse('\x1b[3\n1m')
    expect(control).toEqual({ is: 'control', bytes: '\n' })
    expect(sequence).toMatchObject({ is: 'csi', malformed: true })
  })

  test('parameters out of place are malformed', () => {
    for (const text of ['\x1b[1?h', '\x1b[1$2p', '\x1b[!"#p', '\x1b[3\x7fm'])
      expect(one(text).malformed).toBe(true)
  })

  test('a character that is no ASCII ends a sequence, and is text', () => {
    expect(tokens([bytesOf('\x1b[3äb')])).toEqual([{ is: 'text', bytes: '\xc3\xa4b' }])
  })
})

describe('8-bit controls', () => {
  test('start nothing, as characters or as bytes', () => {
    expect(tokens([bytesOf('a\u009b31mb')]).map(({ is, bytes }) => [is, bytes])).toEqual([
      ['text', 'a'],
      ['control', '\xc2\x9b'],
      ['text', '31mb'],
    ])
    expect(tokens([rawBytes('\x9d0;x\x07')]).map(({ is }) => is)).toEqual(['control', 'text', 'control'])
  })

  test('inside characters are text', () => {
    expect(tokens([bytesOf('ě漢🐔')])).toHaveLength(1)
  })

  test('in overlong forms are stray bytes', () => {
    for (const bytes of ['\xc0\x9b', '\xe0\x82\x9b', '\xf0\x80\x82\x9b'])
      expect(tokens([rawBytes(bytes)]).some(({ is }) => is === 'control')).toBe(true)
  })
})

describe('bounds', () => {
  test('a string longer than its kind may be is told without its bytes', () => {
    const whole = parse(`\x1b]0;${'x'.repeat(MAX_STRING)}\x07after`)
    expect(whole).toMatchObject([
      { is: 'osc', malformed: true, bytes: '' },
      { is: 'text', bytes: 'after' },
    ])
    const long = `\x1b]52;c;${'A'.repeat(MAX_CLIPBOARD / 2)}\x07`
    expect(one(long).raw).toHaveLength(long.length)
    expect(one(`\x1b]52;c;${'A'.repeat(MAX_CLIPBOARD)}\x07`)).toMatchObject({ overlong: true })
  })

  test.each(['\x1b]0;', '\x1bPq', '\x1b_G', '\x1bX', '\x1b[', '\x1b[?'])(
    'what never ends is not kept: %j',
    (start) => {
      const tokenizer = new Tokenizer(silent)
      tokenizer.push(bytesOf(start))
      const filler = new Uint8Array(4096).fill(0x31)
      for (let i = 0; i < 100; i++) {
        tokenizer.push(filler)
        expect(tokenizer.held).toBeLessThanOrEqual(MAX_STRING)
      }
      expect(tokenizer.boundary).toBe(0)
    },
  )
})

describe('the boundary', () => {
  test('is the last offset between characters and sequences', () => {
    const text = bytesOf('ab\x1b[31mä\x1b]0;x\x1b\\漢z')
    const inside = [3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 17, 18]
    for (let at = 0; at <= text.length; at++) {
      const tokenizer = new Tokenizer(silent)
      tokenizer.push(text.subarray(0, at))
      let expected = at
      while (inside.includes(expected)) expected--
      expect(tokenizer.boundary).toBe(expected)
      expect(tokenizer.offset).toBe(at)
    }
  })

  test('of a byte that starts no character is after the next one', () => {
    const tokenizer = new Tokenizer(silent)
    tokenizer.push(rawBytes('a\xe4'))
    expect(tokenizer.boundary).toBe(1)
    tokenizer.push(rawBytes('b'))
    expect(tokenizer.boundary).toBe(3)
  })
})

test('text tells where in the stream it begins', () => {
  const offsets: number[] = []
  const tokenizer = new Tokenizer({ ...silent, text: (_bytes, _from, _to, offset) => offsets.push(offset) })
  for (const part of ['ab\x1b[1mc', 'd\xc3', '\xa4e']) tokenizer.push(rawBytes(part))
  expect(offsets).toEqual([0, 6, 7, 8, 10])
})

test('any stream is the same in any pieces, and nothing of it is told twice', () => {
  const plain = (list: Token[]) =>
    list.map(({ sequence: _, ...rest }: Token & { sequence?: unknown }) => rest)
  fuzz(1, (bytes, random) => {
    const whole = tokens([bytes])
    expect(plain(tokens(randomSplit(random, bytes)))).toEqual(plain(whole))
    let end = 0
    for (const token of whole) {
      if (!('begin' in token)) continue
      expect(token.begin).toBeGreaterThanOrEqual(end)
      expect(token.end).toBeGreaterThan(token.begin)
      end = token.end
    }
  })
})
