import { expect, test } from 'bun:test'
import { Random, stream } from '../../test/screens/streams.ts'
import type { WindowSize } from '../core/window-size.ts'
import { inOneColumn } from './clusters.ts'
import { Painter } from './painter.ts'
import { backgroundOf, select } from './pen.ts'
import { Pictures } from './pictures.ts'
import { insidesOf, Screen } from './screen.ts'
import { isLoneMark } from './width.ts'

const CASES = Number(process.env.SCREEN_CASES ?? 120)
const SIZES: [[number, number], ...[number, number][]] = [
  [80, 24],
  [20, 6],
  [7, 3],
  [90, 30],
]

/** A window that receives pictures. */
class Viewer {
  readonly window: WindowSize
  readonly #pictures = new Pictures()
  #screen: Screen

  constructor([columns, rows]: [number, number]) {
    this.window = { columns, rows }
    this.#screen = new Screen(columns, rows, 0)
  }

  show(screen: Screen): void {
    const sent = this.#pictures.next(screen.picture(this.window))
    if (sent?.anew) this.#screen = new Screen(this.window.columns, this.window.rows, 0)
    if (sent) this.#screen.write(sent.bytes)
  }

  get screen(): Screen {
    return this.#screen
  }
}

/** The visible content of `columns` in some rows of the screen, from the row `top`. */
function shown(screen: Screen, top: number, rows: number, columns: number): string[] {
  const { core } = insidesOf(screen)
  const { lines, ybase } = core.buffers.active
  const painter = new Painter(core)
  return Array.from({ length: rows }, (_, row) => {
    const line = lines.get(ybase + top + row)
    let text = ''
    for (let x = 0; line && x < columns; ) {
      const content = painter.content(line, x)
      const isCut = x + content.width > columns
      const shown = content.width === 1 ? inOneColumn(content.text) : content.text
      const alone = isLoneMark(content.text) // inserting or deleting has moved the mark there: it has no cell of its own
      text += `${select(alone ? backgroundOf(content.look) : content.look)}${content.text === '' || isCut || alone ? ' ' : shown}`
      x += content.width
    }
    return text
  })
}

test(`${CASES} streams look the same in a window of any size, whenever it is drawn`, () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const random = new Random(seed)
    const [columns, rows] = random.of(SIZES)
    using screen = new Screen(columns, rows, 30)
    const viewer = new Viewer(random.of(SIZES))
    const bytes = stream(random, 5 + random.below(200), columns, rows)
    const [width, height] = [Math.min(columns, viewer.window.columns), Math.min(rows, viewer.window.rows)]
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + random.below(200)
      screen.write(bytes.subarray(at, end))
      viewer.show(screen)
      const { y } = insidesOf(screen).core.buffers.active
      const top = Math.max(0, Math.min(y, rows - 1) - viewer.window.rows + 1)
      const [seen, wanted] = [shown(viewer.screen, 0, height, width), shown(screen, top, height, width)]
      if (!Bun.deepEquals(seen, wanted)) expect({ seed, at, seen }).toEqual({ seed, at, seen: wanted })
      at = end
    }
    const { modes, title, cursor } = screen.picture(viewer.window)
    expect(viewer.screen.picture(viewer.window)).toMatchObject({ modes, title, cursor })
  }
})

test('only rows that changed are sent, and nothing when none did', () => {
  using screen = new Screen(20, 4)
  const pictures = new Pictures()
  const next = () => {
    const sent = pictures.next(screen.picture({ columns: 40, rows: 6 }))
    return sent && { anew: sent.anew, text: Buffer.from(sent.bytes).toString() }
  }
  screen.write(Buffer.from('one\r\ntwo'))
  expect(next()).toMatchObject({ anew: true, text: expect.stringMatching(/one.*two.*20x4/s) })
  expect(next()).toBeUndefined()
  screen.write(Buffer.from(' and a half'))
  const second = next()
  expect(second?.text).toContain('two and a half')
  expect(second?.text).not.toContain('one')
  screen.write(Buffer.from('\x1b[?2004h'))
  expect(next()?.anew).toBe(true) // modes are reset with the terminal
})
