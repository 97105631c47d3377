import { describe, expect, test } from 'bun:test'
import { Attention, type Signal } from './attention.ts'
import { bytesOf, fuzz, inTurn, randomSplit } from './testing.ts'

const heard = (...parts: string[]): (Signal | undefined)[] => {
  const attention = new Attention()
  return parts.map((part, index) => attention.push(bytesOf(part), index * 2000))
}
const notification = (text: string) => ({ kind: 'notification', text }) as const
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('the bell', () => {
  test('rings in text, and between and in sequences', () => {
    expect(heard('text\x07', 'x\x1b[1m\x07', '\x1b[\x071m')).toEqual(Array(3).fill({ kind: 'bell' }))
  })

  test('does not ring at the end of an OSC, split or not, nor in a string', () => {
    expect(heard('\x1b]0;title\x07', '\x1b]0;ti', 'tle\x07', '\x1bP\x07\x1b\\')).toEqual(
      Array(4).fill(undefined),
    )
  })

  test('that rings all the time is heard once in a second', () => {
    const attention = new Attention()
    const rings = Array.from({ length: 30 }, (_, i) => attention.push(bytesOf('\x07'), 5000 + i * 100))
    expect(rings.filter(Boolean)).toHaveLength(3)
  })
})

describe('notifications', () => {
  test.each([
    ['OSC 9', '\x1b]9;Build done\x07', 'Build done'],
    ['OSC 9 that starts with a number', '\x1b]9;3 tests failed\x1b\\', '3 tests failed'],
    ['OSC 777', '\x1b]777;notify;Title;Body; more\x07', 'Title: Body; more'],
    ['OSC 99', '\x1b]99;;Hello\x1b\\', 'Hello'],
    ['OSC 99 with a body only', '\x1b]99;p=body;Hello\x1b\\', 'Hello'],
    ['OSC 99 in base64', `\x1b]99;e=1;${base64('Grüße\n')}\x1b\\`, 'Grüße'],
    ['and no bell with it', '\x07\x1b]9;text\x07', 'text'],
  ])('%s', (_, output, text) => expect(heard(output)).toEqual([notification(text)]))

  test('kitty’s come in pieces', () => {
    const parts = ['\x1b]99;i=1:d=0;Ti\x1b\\', '\x1b]99;i=2;other\x1b\\', '\x1b]99;i=1:d=0:p=title;tle\x1b\\']
    expect(heard(...parts, '\x1b]99;i=1:d=0:p=body;Body\x1b\\', '\x1b]99;i=1:d=1:a=focus;\x1b\\')).toEqual([
      undefined,
      notification('other'),
      undefined,
      undefined,
      notification('Title: Body'),
    ])
  })

  test('a kitty notification that is not ended is forgotten', () => {
    const attention = new Attention()
    attention.push(bytesOf('\x1b]99;i=1:d=0;old\x1b\\'), 0)
    expect(attention.push(bytesOf('\x1b]99;i=1;new\x1b\\'), 60_000)).toEqual(notification('new'))
  })

  test.each([
    ['progress', '\x1b]9;4;1;50\x07'],
    ['ConEmu’s commands', '\x1b]9;9;/x\x07'],
    ['a question', '\x1b]99;i=1:p=?;\x1b\\'],
    ['closing one', '\x1b]99;i=1:p=close;\x1b\\'],
    ['another 777', '\x1b]777;precmd\x07'],
    ['a title', '\x1b]2;9;x\x07'],
  ])('%s is none', (_, output) => expect(heard(output)).toEqual([undefined]))

  test('are one line of plain text with an end', () => {
    expect(heard('\x1b]9;a\nb\x01\u009b\u202ec\x07')).toEqual([notification('a bc')])
    expect(heard(`\x1b]9;${'🐔'.repeat(500)}\x07`)).toEqual([notification('🐔'.repeat(200))])
    expect(heard('\x1b]9;\x07')).toEqual([{ kind: 'notification' }])
  })
})

describe('lasting words', () => {
  const seen = (...parts: string[]): unknown[] => {
    const all: unknown[] = []
    const attention = new Attention({
      status: (status) => all.push(status),
      title: (title) => all.push(title),
      progress: (works) => all.push(works),
    })
    for (const part of parts) attention.push(bytesOf(part), 0)
    return all
  }

  test.each([
    ['a title', '\x1b]0;⠙ x\x07|\x1b]2;\u202ey\x1b\\', ['⠙ x', 'y']],
    ['the last of many', '\x1b]0;a\x07\x1b]0;b\x07', ['b']],
    ['an icon’s title', '\x1b]1;x\x07', []],
    ['progress', '\x1b]9;4;1;50\x07\x1b]9;4;3\x07\x1b]9;4;0;0\x07\x1b]9;4;2\x07', [true, true, false, false]],
    ['other commands of ConEmu', '\x1b]9;9;/x\x07\x1b]9;40;1\x07', []],
    ['a report', '\x1b]7501;state=idle:app=codex\x1b\\', [{ state: 'idle', id: '' }]],
    ['a report in pieces', '\x1b]7501;state=wor|king\x1b\\', [{ state: 'working', id: '' }]],
    ['the query for reports', '\x1b]7501;?\x1b\\', []],
  ])('%s', (_, output, expected) => expect(seen(...output.split('|'))).toEqual(expected))

  test('are bounded', () => {
    const [title] = seen(`\x1b]0;${'漢'.repeat(2000)}\x07`)
    expect(title).toBe('漢'.repeat(64))
  })
})

test('many that are not ended do not add up', () => {
  const attention = new Attention()
  const piece = 'x'.repeat(4000)
  for (let i = 0; i < 300; i++) attention.push(bytesOf(`\x1b]99;i=${i % 40}:d=0;${piece}\x1b\\`), i)
  expect(attention.held).toBeLessThan(20_000)
})

test('any stream says the same in any pieces, in plain text', () => {
  fuzz(6, (bytes, random) => {
    const listen = (parts: readonly Uint8Array[]) => {
      const attention = new Attention()
      return Array.from(inTurn(parts), (part) => attention.push(part, 0) ?? []).flat()
    }
    const [whole] = listen([bytes])
    const pieces = listen(randomSplit(random, bytes))
    const last = pieces.filter(({ kind }) => kind === 'notification').at(-1) ?? pieces[0]
    expect(last).toEqual(whole)
    for (const { text = '' } of pieces) expect(text).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
  })
})
