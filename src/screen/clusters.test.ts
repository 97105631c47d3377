import { describe, expect, test } from 'bun:test'
import { stateOf } from '../../test/screens/state.ts'
import { insidesOf, Screen } from './screen.ts'

/**
 * One row of a terminal that counts whole signs: text joins the sign to its left, also after the cursor has moved there,
 * as in Ghostty. Returns the text of each column; the second column of a wide sign is undefined.
 */
function wholeSigns(bytes: string, columns: number): (string | undefined)[] {
  const cells: (string | undefined)[] = Array.from({ length: columns }, () => ' ')
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  const isOne = (text: string): boolean => [...segmenter.segment(text)].length === 1
  let x = 0
  for (const [piece, parameter = '', final] of bytes.matchAll(/\x1b\[([\d;?]*)([@-~])|\x1b[^[].|./gsu)) {
    if (piece.startsWith('\x1b')) {
      const count = Number.parseInt(parameter, 10) || 1
      if (final === 'G') x = count - 1
      else if (final === 'C') x += count
      else if (final === 'D') x -= count
      else if (final === 'H') x = (Number(parameter.split(';')[1]) || 1) - 1
      else if (final === 'X') cells.fill(' ', x, x + count)
      continue
    }
    const at = cells[x - 1] === undefined ? x - 2 : x - 1
    const left = cells[at]
    if (left !== undefined && left !== ' ' && isOne(left + piece)) {
      cells[at] = left + piece
      const isWider = piece === '\ufe0f' && Bun.stringWidth(left + piece) === 2
      if (isWider && at === x - 1) cells[x++] = undefined
      continue
    }
    // What is written over half of a wide sign takes away the whole.
    if (cells[x] === undefined && x > 0) cells[x - 1] = ' '
    const width = Math.max(1, Bun.stringWidth(piece))
    for (let half = 0; half < width; half++) {
      if (cells[x + half + 1] === undefined && x + half + 1 < columns) cells[x + half + 1] = ' '
      cells[x + half] = half ? undefined : piece
    }
    x += width
  }
  return cells
}

/** The rendering of a row without the sequences before and after it that say nothing about text. */
const rendered = (screen: Screen): string => Buffer.from(screen.render()).toString()

const SIGNS = [
  ['a skin tone', '👍🏽'],
  ['a family', '👩‍👩‍👧'],
  ['a profession with a skin tone', '👩🏽‍🚀'],
  ['a flag', '🇩🇪'],
  ['two flags', '🇩🇪🇫🇷'],
  ['a heart in emoji style', '❤️'],
  ['a key', '1️⃣'],
  ['a heart on fire', '❤️‍🔥'],
  ['a wide sign in emoji style', '⌚️'],
] as const

describe.each(SIGNS)('%s (%s)', (_, sign) => {
  test('has the same text after it in both kinds of terminals', () => {
    const text = `a${sign}|b ${sign}${sign}|c \x1b[31m${sign}\x1b[m|d`
    using screen = new Screen(80, 2)
    screen.write(Buffer.from(text))
    const shown = rendered(screen)
    const other = wholeSigns(shown, 80)
    // The columns of code points, from the emulator itself.
    using again = new Screen(80, 2)
    again.write(Buffer.from(shown))
    // Each part is in its own columns, too; the halves of a flag are one sign or two.
    const parts = (cells: readonly (string | undefined)[]) =>
      cells.flatMap((cell, x) => (cell && cell !== ' ' ? [[x, cell.codePointAt(0)]] : []))
    if (!sign.startsWith('\u{1f1e9}')) expect(parts(other)).toEqual(parts(cellsOf(again)))
    for (const mark of ['a', '|', 'b', 'c', 'd']) {
      const columns = (cells: readonly (string | undefined)[]) =>
        cells.flatMap((cell, x) => (cell?.startsWith(mark) ? [x] : []))
      expect([mark, columns(other)]).toEqual([mark, columns(cellsOf(again))])
    }
  })

  test('stays as it is when it is rendered again', () => {
    using first = new Screen(80, 2)
    first.write(Buffer.from(`${sign}\x1b[5Cx`))
    using second = new Screen(80, 2)
    second.write(first.render())
    expect(stateOf(second)).toEqual(stateOf(first))
  })
})

function cellsOf(screen: Screen): string[] {
  const { core } = insidesOf(screen)
  const line = core.buffers.active.lines.get(0)
  return Array.from({ length: core.cols }, (_, x) => line?.getString(x) || ' ')
}
