import { describe, expect, test } from 'bun:test'
import { HOLD_MS, TypedBefore } from './input-filter.ts'
import { PASTE_PAUSE_MS } from './keys.ts'
import { noticeOf } from './notices.ts'
import { Desk } from './testing.ts'

const PASTE = ['\x1b[200~', '\x1b[201~'] as const
const pasted = (text: string): string => PASTE.join(text)

test('ordinary input passes at once, untouched', () => {
  const desk = new Desk()
  for (const text of [
    'hello',
    ' wörld 👍',
    '\r',
    '\x1b[A',
    '\x1bOB',
    '\x1b[<0;1;2M',
    '\x1ba',
    '\t',
    '\x15',
  ]) {
    desk.type(text)
    expect([text, desk.filter.holding]).toEqual([text, false])
  }
  expect(desk.passed).toBe(desk.all)
  expect(desk.reasons).toEqual([])
})

/** The same key in every form in which terminals send it. */
const forms = (code: number, byte: string): readonly string[] => [
  byte,
  `\x1b[${code};5u`,
  `\x1b[${code};69u`, // with caps lock
  `\x1b[${code};133u`, // with num lock
  `\x1b[${code};5:1u`,
  `\x1b[${code};5:2u`,
  `\x1b[${code}:${code - 32};5u`,
  `\x1b[1076::${code};5u`, // a layout without Latin letters
  `\x1b[27;5;${code}~`,
]

describe('Ctrl+D and Ctrl+\\', () => {
  const all = [
    ...forms(100, '\x04').map((form) => ['Ctrl+D', form] as const),
    ...forms(92, '\x1c').map((form) => ['Ctrl+\\', form] as const),
    ['Ctrl+D', '\x1b[27;5;68~'] as const, // xterm sends the capital while caps lock is on
  ]

  test.each(all)('%s as %j is held back, wherever it is split', (key, form) => {
    for (let at = 0; at <= form.length; at++) {
      const desk = new Desk().type('a', form.slice(0, at), form.slice(at), 'b')
      expect(desk.passed).toBe('ab')
      expect(desk.all).toBe(`a${form}b`)
      expect(desk.reasons).toEqual([{ kind: 'key', key }])
    }
  })

  test('are held back in a paste, too: a program that takes no pastes gets keys', () => {
    const desk = new Desk().type(pasted('one\x04two\x1c'))
    expect(desk.passed).toBe(pasted('onetwo'))
    expect(desk.reasons).toHaveLength(2)
  })

  test('are held back behind an Escape, and within a sequence that they break off', () => {
    expect(new Desk().type('\x1b\x04').passed).toBe('\x1b')
    expect(new Desk().type('\x1b[1\x04').passed).toBe('\x1b[1')
    expect(new Desk().type('\x1bO\x1c').passed).toBe('\x1bO')
    expect(new Desk().type('\x1b[M !\x04').passed).toBe('\x1b[M !')
  })

  test('other keys with the same letters pass', () => {
    const others = [
      'd',
      'D',
      '\\',
      '\x1b[100u',
      '\x1b[100;6u',
      '\x1b[100;3u',
      '\x1b[27;6;100~',
      '\x1bd',
      '\x1b[4;5u',
    ]
    for (const other of others) expect(new Desk().type(other).passed).toBe(other)
  })
})

describe('Ctrl+C', () => {
  test.each(forms(99, '\x03'))('as %j: a second one within the time is held back', (form) => {
    const desk = new Desk().type(form).wait(499).type(form)
    expect(desk.passed).toBe(form)
    expect(desk.reasons).toEqual([{ kind: 'repeated', milliseconds: 500 }])
  })

  test('passes after the time, and every time without one', () => {
    expect(new Desk().type('\x03').wait(500).type('\x03').passed).toBe('\x03\x03')
    expect(new Desk({ debounce: 0 }).type('\x03\x03\x03').passed).toBe('\x03\x03\x03')
  })

  test('held down, it passes once: each repetition starts the time anew', () => {
    const desk = new Desk().type('\x03')
    for (let at = 0; at < 100; at++) desk.wait(33).type('\x03')
    expect(desk.passed).toBe('\x03')
    expect(desk.wait(500).type('\x03').passed).toBe('\x03\x03')
  })

  test('counts whatever window and form it comes from, a local terminal included', () => {
    const desk = new Desk()
    const other = new Desk({}, desk.typed)
    other.time = desk.time
    desk.type('\x03')
    expect(other.type('\x1b[99;5u').passed).toBe('')
    const local = new Desk()
    local.typed.add(Buffer.from('\x03'))
    expect(local.type('\x03').passed).toBe('')
  })

  test('that was let go of is no second one', () => {
    const desk = new Desk().type('\x1b[99;5u', '\x1b[99;5:3u')
    expect(desk.reasons).toEqual([])
  })
})

const ENTERS = [
  '\r',
  '\n',
  '\x1bOM',
  '\x1b[13u',
  '\x1b[13;1:1u',
  '\x1b[57414u',
  '\x1b\r',
  '\x1b[13;2u',
  '\x1b[27;2;13~',
]

describe('a line that ends an agent', () => {
  const held = (...keys: readonly string[]): string | undefined => {
    const desk = new Desk().type(...keys)
    expect(desk.all).toBe(keys.join(''))
    const [reason] = desk.reasons
    return reason?.kind === 'line' ? reason.line : undefined
  }

  test.each(['exit', '/exit', 'quit', '/quit'])('%s: its Enter is held back, in every form', (line) => {
    for (const enter of ENTERS) {
      expect(held(line, enter)).toBe(line)
      expect(held(...line, enter)).toBe(line)
      expect(new Desk().type(line + enter).passed).toBe(line)
    }
  })

  test('is found with spaces around it, in capitals, and typed as codes', () => {
    expect(held('  exit ', '\r')).toBe('exit')
    expect(held('Exit', '\r')).toBe('exit')
    expect(held('\x1b[101u\x1b[120u\x1b[105;;105u\x1b[116u', '\r')).toBe('exit')
  })

  test('is no other line', () => {
    for (const line of [
      'exits',
      'the exit',
      'exit 1',
      'exi',
      '/exi',
      'quit?',
      '',
      ' ',
      '/',
      'éxit',
      'please quit',
    ])
      expect([line, held(line, '\r')]).toEqual([line, undefined])
  })

  test('stays one: Enter is held back again, and the next line is looked at by itself', () => {
    const desk = new Desk().type('exit\r\r')
    expect(desk.passed).toBe('exit')
    desk.type('\x15hello\rexit', '\r')
    expect(desk.passed).toBe('exit\x15hello\rexit')
  })

  test('is found after editing', () => {
    for (const keys of [
      'exut\x7f\x7fit',
      'hello\x15exit',
      'hello world\x17\x17exit',
      'hello\x1b\x7fexit',
      'xit\x01e',
      'xit\x1b[He',
      'ext\x1b[Di',
      'ext\x1bODi',
      'ext\x02i',
      'exitnow\x1b[D\x1b[D\x1b[D\x0b',
      'the exit\x01\x1b[3~\x1b[3~\x1b[3~',
      'the exit\x01\x1bd',
      'hello\x03exit',
      'hello\x1b[A\x1b[Bexit', // or with the arrows of the history
      'héé\x7f\x7f\x7fexit',
      'ok 👨‍👩‍👧\x7f\x15exit',
      '👨‍👩‍👧\x7fexit', // one key removes all of it in some programs
      'exit\x1b[200~ \x1b[201~',
      'ex\x1b[I\x1b[<0;3;4M\x1b[O\x1b[12;3R\x1b[Zit',
    ])
      expect([keys, held(keys, '\r') !== undefined]).toEqual([keys, true])
  })

  test('is found when Escape may have emptied the line', () => {
    const desk = new Desk().type('hello', '\x1b').wait(HOLD_MS).type('\x1b').wait(HOLD_MS)
    expect(desk.type('exit\r').passed).toBe('hello\x1b\x1bexit')
  })

  test('is no longer one after editing', () => {
    for (const keys of [
      'exit\x7f',
      'exit\x15',
      'exit\x17',
      'exit\x01n',
      'exit\x1b[D\x7f',
      'exit\x01\x0b',
      'exit\x01\x1b[3~',
    ])
      expect([keys, held(keys, '\r')]).toEqual([keys, undefined])
  })

  test('may be completed by the program, as far as at least two letters say', () => {
    for (const keys of [
      '/ex\t',
      'qu\t',
      'ex\x1b[C',
      '/q\x05',
      'ex\t\t',
      'ex\t ',
      'e\tit',
      'exit\t',
      'exit\x1b[C',
    ])
      expect([keys, held(keys, '\r') !== undefined]).toEqual([keys, true])
    for (const keys of ['\t', 'e\t', '/\t', 'hello\t', 'ex\tport', 'export\t', '/q\tx'])
      expect([keys, held(keys, '\r')]).toEqual([keys, undefined])
  })

  test('is the text of a whole paste, and not a line within one', () => {
    expect(held(pasted('exit'), '\r')).toBe('exit')
    expect(held(pasted('exit\n'), '\r')).toBe('exit')
    expect(new Desk().type(pasted('exit\r')).reasons).toEqual([]) // nothing is sent yet
    expect(held(pasted('set -e\nexit\n'), '\r')).toBeUndefined()
    expect(held(pasted('#!/bin/sh\nexit'), '\r')).toBeUndefined()
    expect(held(pasted('\x1b[100;5u\x1b[13u exit'), '\r')).toBeUndefined()
  })

  test('is found in a paste without marks, as keys', () => {
    expect(new Desk().type('one\rexit\rtwo\r').passed).toBe('one\rexittwo\r')
  })

  test('is one line of all windows', () => {
    const desk = new Desk()
    const other = new Desk({}, desk.typed)
    desk.type('ex')
    desk.typed.add(Buffer.from('i'))
    expect(other.type('t\r').passed).toBe('t')
    desk.type('\x03').typed.reset() // another program reads
    expect(other.type('\r\x03').passed).toBe('t\r\x03')
  })
})

describe('sequences of the settings', () => {
  const sequences = ['\x1b[1;5A', '\x1b[1;5B', ':q!', '\u0003', 'ü']

  test.each(sequences)('%j is held back, wherever it is split', (sequence) => {
    const bytes = Buffer.from(sequence)
    for (let at = 0; at <= bytes.length; at++) {
      const desk = new Desk({ sequences }).type('a', bytes.subarray(0, at), bytes.subarray(at), 'b')
      expect(desk.passed).toBe('ab')
      expect(desk.all).toBe(`a${sequence}b`)
      expect(desk.reasons.every((reason) => reason.kind === 'sequence' && reason.sequence === sequence)).toBe(
        true,
      )
    }
  })

  test('the start of one waits for a moment, and then passes', () => {
    const desk = new Desk({ sequences }).type(':q')
    expect([desk.passed, desk.filter.holding]).toEqual(['', true])
    expect(desk.wait(HOLD_MS).passed).toBe(':q')
    expect(desk.type('!').passed).toBe(':q') // typed slowly it does not get through, either
    expect(desk.type('x').passed).toBe(':qx')
  })

  test('what was held back between does not hide one', () => {
    expect(new Desk({ sequences }).type(':q\x04!').passed).toBe('')
    expect(new Desk({ sequences: ['ab'] }).type('aabb').passed).not.toContain('ab')
  })

  test('a longer one begins with a shorter one', () => {
    expect(new Desk({ sequences: ['ab', 'abc'] }).type('abc').passed).toBe('c')
  })
})

describe('a lone Escape', () => {
  test('waits for a moment, and then passes', () => {
    const desk = new Desk().type('\x1b')
    expect([desk.passed, desk.filter.holding]).toEqual(['', true])
    expect(desk.wait(HOLD_MS).passed).toBe('\x1b')
    expect(desk.filter.holding).toBe(false)
  })

  test('and what is typed later are no key together', () => {
    expect(new Desk().type('\x1b').wait(HOLD_MS).type('[100;5u').passed).toBe('\x1b[100;5u')
  })

  test('passes at the latest when the sequence cannot be a key', () => {
    const long = `\x1b[${'1;'.repeat(200)}`
    expect(new Desk().type(long).wait(HOLD_MS).passed).toBe(long)
  })
})

describe('a paste', () => {
  test('whose end is lost is over after a pause', () => {
    const desk = new Desk().type(PASTE[0], 'text').wait(PASTE_PAUSE_MS).type('\x15exit\r')
    expect(desk.passed).toBe(`${PASTE[0]}text\x15exit`)
  })

  test('that takes long goes on', () => {
    const desk = new Desk().type(PASTE[0])
    for (let at = 0; at < 5; at++) desk.wait(PASTE_PAUSE_MS - 1).type('exit\r')
    expect(desk.type(PASTE[1]).reasons).toEqual([])
  })
})

test('much input costs little', () => {
  const text = 'A line of some length, as people paste them: 0123456789.\r'.repeat(4_000)
  for (const sequences of [[], ['\x1b[1;5A', 'AAAA', '\u0003', 'zz']]) {
    const desk = new Desk({ sequences })
    const since = performance.now()
    desk.type(text)
    expect(desk.passed.length).toBe(text.length)
    expect(performance.now() - since).toBeLessThan(2_500) // 230 kB; a frame has 64 KiB at most
  }
})

test('every reason is said in one sentence that nothing can hide in', () => {
  const reasons = [
    { kind: 'key', key: 'Ctrl+D' },
    { kind: 'repeated', milliseconds: 500 },
    { kind: 'line', line: '/exit' },
    { kind: 'sequence', sequence: '\x1b]0;evil\x07\u202e"' },
  ] as const
  for (const reason of reasons) expect(noticeOf(reason)).toMatch(/^[ -~]+$/)
  expect(noticeOf(reasons[3])).toContain('"\\u001b]0;evil\\u0007\\u202e\\u0022"')
})

test('a local terminal that sends a lone Escape does not swallow what comes later', () => {
  let time = 0
  const typed = new TypedBefore(() => time)
  typed.add(Buffer.from('\x1b'))
  time = HOLD_MS
  typed.add(Buffer.from('\x15exit'))
  expect(typed.line.ending).toBe('exit')
})
