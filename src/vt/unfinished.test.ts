import { expect, test } from 'bun:test'
import { PlainLines } from './unfinished.ts'

/** What is shown of pieces; `null` is a moment without output. */
function shown(...parts: (string | null)[]): string[] {
  const lines = new PlainLines()
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  const all = parts.map((part) => text(part === null ? lines.pause() : lines.push(Buffer.from(part))))
  return [...all, text(lines.flush())]
}

test('a line without an end is shown after a moment, and the rest of it when it comes', () => {
  expect(shown('one\r\nOverwrite? [y/N] ', null, 'y', null, '\r\ndone\r\n')).toEqual([
    'one\n',
    'Overwrite? [y/N] ',
    '',
    'y',
    '\ndone\n',
    '',
  ])
})

test('a moment without anything new shows nothing', () => {
  expect(shown(null, 'a', null, null, 'b')).toEqual(['', '', 'a', '', '', 'b'])
})

test('a line that is written over after it was shown is shown again', () => {
  expect(shown('10%', null, '\r20%', null, '\r100%\r\n')).toEqual(['', '10%', '', '\n20%', '\n100%\n', ''])
  expect(shown('secret', null, '\r\x1b[K', '\n')).toEqual(['', 'secret', '', '\n', ''])
})

test('a line longer than what is kept is shown once', () => {
  const long = 'x'.repeat(70_000)
  const all = shown('ab', null, long, null, 'yz\n').join('')
  expect(all).toBe(`ab${long}yz\n`)
})

test('programs that paint are told from programs that write', () => {
  const painted = (text: string): boolean => {
    const lines = new PlainLines()
    lines.push(Buffer.from(text))
    return lines.isPainted
  }
  expect(painted('\x1b[?1049h')).toBe(true)
  expect(painted('\x1b[5;1Hx\x1b[Ay'.repeat(30))).toBe(true)
  expect(painted('\x1b[?25l\x1b[?2004h\x1b[31mred\x1b[m\x1b[K\r\n'.repeat(100))).toBe(false)
  expect(painted('10%\r20%\r'.repeat(100))).toBe(false)
})
