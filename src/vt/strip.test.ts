import { describe, expect, test } from 'bun:test'
import { Stripper } from './strip.ts'
import { bytesOf, fuzz, inTurn, randomSplit, rawBytes } from './testing.ts'

const run = (parts: readonly Uint8Array[]): Buffer => {
  const stripper = new Stripper()
  const done = Array.from(inTurn(parts), (part) => stripper.push(part))
  return Buffer.concat([...done, stripper.flush()])
}
const stripped = (text: string): string => run([bytesOf(text)]).toString()

describe('plain text', () => {
  test.each([
    ['lines end with a line feed', 'one\r\ntwo\nthree', 'one\ntwo\nthree'],
    ['colours go', '\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mx\x1b[m', 'red x'],
    [
      'titles, links and images go, their text stays',
      '\x1b]0;t\x07\x1b]8;;http://x\x07link\x1b]8;;\x07\x1bPq~\x1b\\',
      'link',
    ],
    ['control characters go, tabs stay', 'a\x00\x07\x0e\tb\x7f\u009bc', 'a\tbc'],
    ['characters stay', 'ä漢🐔', 'ä漢🐔'],
    ['empty lines stay', 'a\r\n\r\n\nb', 'a\n\n\nb'],
    ['two returns and a line feed end one line', 'a\r\r\nb', 'a\nb'],
  ])('%s', (_, text, expected) => expect(stripped(text)).toBe(expected))

  test('what is no UTF-8 stays as it is', () => {
    expect(run([rawBytes('\xe4\xf6\r\n')]).equals(Buffer.from('\xe4\xf6\n', 'latin1'))).toBe(true)
  })
})

describe('a line that is written over', () => {
  test.each([
    ['is what it became', '10%\r50%\r100%\r\n', '100%\n'],
    ['keeps what was not written over', 'abcdef\rAB\n', 'ABcdef\n'],
    ['loses what is erased', 'a long line\r\x1b[Kshort\n', 'short\n'],
    ['loses all', 'a long line\x1b[2K\rshort\n', 'short\n'],
    ['has characters in its cells', 'äöü\rÄ\n', 'Äöü\n'],
    ['goes back by backspace', 'abc\b\bX\n', 'aXc\n'],
    ['goes back no further than its start', 'a\b\b\bX\n', 'X\n'],
    ['goes back and forth by sequences', 'abc\x1b[2DX\x1b[CY\n', 'aXcY\n'],
    ['goes to a column', 'abc\x1b[2GX\x1b[6GY\n', 'aXc  Y\n'],
    ['loses and gains characters', 'abcd\r\x1b[2Px\x1b[2@y\n', 'xy d\n'],
    ['has blanks for what is blanked', 'abcd\r\x1b[2X\n', '  cd\n'],
    ['repeats a character', 'ab\x1b[3b\n', 'abbbb\n'],
  ])('%s', (_, text, expected) => expect(stripped(text)).toBe(expected))
})

describe('full-screen programs', () => {
  test('leave blanks by moving forward', () => {
    expect(stripped('a\x1b[3Cb\x1b[Cc')).toBe('a   b c')
    expect(stripped('a\x1b[999999999Cb')).toHaveLength(4098)
  })

  test('begin a new line where the cursor goes elsewhere, but no empty ones', () => {
    expect(stripped('\x1b[2J\x1b[H\x1b[1;1Hone\x1b[5;1H\x1b[6;1Htwo\x1b[Athree')).toBe('one\ntwo\nthree')
    expect(stripped('shell\x1b[?1049h\x1b[Hvim\x1b[?1049l')).toBe('shell\nvim\n')
    expect(stripped('a\x1b[?25lb\x1b[?2026hc')).toBe('abc')
  })
})

describe('bounds', () => {
  test('a long line goes on before it ends', () => {
    const stripper = new Stripper()
    const piece = new Uint8Array(10_000).fill(0x78)
    let length = 0
    for (let i = 0; i < 100; i++) {
      length += stripper.push(piece).length
      expect(stripper.held).toBeLessThan(80_000)
    }
    expect(length + stripper.flush().length).toBe(1_000_000)
  })

  test('so does one that is edited', () => {
    const stripper = new Stripper()
    const piece = bytesOf('xyz\b'.repeat(1000))
    for (let i = 0; i < 200; i++) {
      stripper.push(piece)
      expect(stripper.held).toBeLessThan(80_000)
    }
  })

  test('a line that is only repeated is not kept without end', () => {
    const stripper = new Stripper()
    stripper.push(bytesOf('a'))
    for (let i = 0; i < 200; i++) stripper.push(bytesOf('\x1b[2147483647b'))
    expect(stripper.held).toBeLessThan(80_000)
  })

  test('nor is one whose cursor goes on to the right', () => {
    const stripper = new Stripper()
    for (let i = 0; i < 200; i++) {
      stripper.push(bytesOf('\x1b[9999C'.repeat(100)))
      expect(stripper.held).toBeLessThan(80_000)
    }
  })

  test('a line is held until it ends, and whole lines are not', () => {
    const stripper = new Stripper()
    expect(Buffer.from(stripper.push(bytesOf('one\r\ntwo'))).toString()).toBe('one\n')
    expect(Buffer.from(stripper.push(bytesOf('!\r'))).toString()).toBe('')
    expect(Buffer.from(stripper.push(bytesOf('\n'))).toString()).toBe('two!\n')
    expect(stripper.held).toBe(0)
  })
})

test('any stream gives the same text in any pieces, without control characters', () => {
  fuzz(5, (bytes, random) => {
    const text = run([bytes])
    expect(run(randomSplit(random, bytes)).equals(text)).toBe(true)
    expect(text.toString()).not.toMatch(/[\0-\x08\x0b-\x1f\x7f\x80-\x9f]/)
  })
})
