import { describe, expect, test } from 'bun:test'
import { finish } from '../core/steps.ts'
import { Screen } from './screen.ts'
import type { ScreenText } from './text.ts'

function read(output: string, styled = false, columns = 20, rows = 4): ScreenText {
  using screen = new Screen(columns, rows)
  screen.write(Buffer.from(output))
  return finish(screen.reading(styled))
}

describe('the text of a screen', () => {
  test('has a line for each row, without blanks at its end', () => {
    expect(read('one  \r\n\r\n\x1b[3;4Hthree\x1b[?25l\x1b]2;a title\x07')).toEqual({
      columns: 20,
      rows: 4,
      cursor: { column: 8, row: 2, visible: false },
      title: 'a title',
      alternate: false,
      lines: ['one', '', '   three', ''],
    })
  })

  test('is that of the screen and not of the scrollback, also of the alternate one', () => {
    expect(read('1\r\n2\r\n3\r\n4\r\n5').lines).toEqual(['2', '3', '4', '5'])
    expect(read('below\x1b[?1049h\x1b[Habove')).toMatchObject({
      alternate: true,
      lines: ['above', '', '', ''],
    })
  })

  test('keeps wide characters and marks, and drops what turns text around', () => {
    expect(read('漢字 e\u0301 \u{1f414}|').lines[0]).toBe('漢字 e\u0301 \u{1f414}|')
    expect(read('a\u202eb\u2066c').lines[0]).toBe('abc')
    expect(read('\u202eab').lines[0]).toBe(' ab')
  })

  test('has only SGR sequences when it is styled', () => {
    const link = '\x1b]8;;http://x\x07link\x1b]8;;\x07'
    const [line] = read(`\x1b[1"q\x1b[31mred\x1b[m ${link} \x1b[44m  `, true).lines
    expect(line?.replace(/\x1b\[[\d;:]*m/g, '|')).toBe('|red| link |  |')
    expect(read('\x1b[7mx', true).lines[0]).toBe('\x1b[0;7mx\x1b[m')
    expect(read('\x1b[7mx').lines[0]).toBe('x')
  })

  test('has an end, however hostile the screen is', () => {
    const marks = `x${'\u0301'.repeat(30)}`
    const text = read(`${marks.repeat(400)}\r\n`.repeat(120), true, 400, 120)
    expect(text.cut).toBe(true)
    expect(text.lines.length).toBeLessThan(120)
    expect(Buffer.byteLength(JSON.stringify(text))).toBeLessThan(1 << 20)
  })
})
