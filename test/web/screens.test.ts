/**
 * The page shows recordings of real programs as tmux does, after attaching at a random point of them: characters,
 * colours, attributes and the cursor.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { themeOf } from '../../src/themes/themes.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { serve } from '../harness/web.ts'
import { needed, output, startBox } from '../integration/support.ts'
import { Random } from '../screens/streams.ts'
import { screenOf, Tmux } from '../screens/tmux.ts'
import { Chromium, type Visitor } from './browser.ts'
import { openBox, type Shown, signIn } from './page.ts'
import { type Drawing, drawing, expectedOf, settled } from './screen.ts'

const RECORDINGS = [
  ...['vim', 'htop', 'less', 'mc', 'nano', 'tmux', 'dialog', 'git-log'],
  ...['wide-text', 'emacs', 'modes', 'colors', 'bash', 'wrap'],
]
const [COLUMNS, ROWS] = [80, 24]
/**
 * xterm.js with whole graphemes gives this conjunct the columns of its two letters, so that what the daemon draws has a
 * space in it; tmux counts code points.
 */
const CONJUNCT = /न् (?=द)/g
const SETTLE_MS = 5_000
const can = needed(ordinary, 'chromium', 'tmux')

/** Plays one recording after the other, each in two parts. */
const PLAYER = `
stty raw -echo
for name in ${RECORDINGS.join(' ')}; do
  for part in first rest; do
    until [ -e go-$name-$part ]; do sleep 0.02; done
    cat $name-$part
    touch done-$name-$part
  done
done
exec sleep 1000`

describe.skipIf(can.missing)(`recorded programs in the page${can.note}`, () => {
  let t: Scratch
  let chromium: Chromium
  let tmux: Tmux
  let visitor: Visitor
  let shown: Shown
  beforeAll(async () => {
    t = await scratch(ordinary, { git: false })
    t.write('player', PLAYER)
    await startBox(t, { agent: 'bash player' })
    const served = await serve(t)
    chromium = await Chromium.start()
    tmux = new Tmux()
    visitor = await chromium.visit(served.origin)
    await signIn(visitor, served)
    shown = await openBox(visitor, 'box')
    await fit(t, visitor, shown)
  })
  afterAll(async () => {
    await visitor?.[Symbol.asyncDispose]()
    await chromium?.[Symbol.asyncDispose]()
    tmux?.[Symbol.dispose]()
    await t?.[Symbol.asyncDispose]()
  })

  test.each(RECORDINGS)('%s', async (name) => {
    const whole = Bun.gunzipSync(
      readFileSync(join(import.meta.dir, `../screens/recordings/${name}-80x24.gz`)),
    )
    const cut = new Random(Bun.hash.crc32(name)).below(whole.length)
    // Whatever the recording before has left.
    t.write(`${name}-first`, Buffer.concat([Buffer.from('\x18\x1bc'), whole.subarray(0, cut)]))
    t.write(`${name}-rest`, whole.subarray(cut))
    const play = async (part: string) => {
      t.write(`go-${name}-${part}`, '')
      await waitUntil(() => existsSync(join(t.workspace, `done-${name}-${part}`)), `the ${part} of ${name}`)
    }
    await play('first')
    await visitor.page.reload()
    await shown.rows.waitFor()
    await play('rest')
    const { captured, state } = await tmux.capture(whole, COLUMNS, ROWS)
    const screen = screenOf(captured, COLUMNS, ROWS)
    const position = `\x1b[${Number(state.cursor_y) + 1};${Number(state.cursor_x) + 1}H\x1b[?25${state.cursor_flag === '1' ? 'h' : 'l'}`
    screen.write(new TextEncoder().encode(position))
    const expected = expectedOf(screen, themeOf('auto', 'dark'), COLUMNS)
    let picture: Drawing | undefined
    try {
      const isAlike = async () => {
        const { rows, cursor } = settled(await shown.picture(), expected)
        picture = { rows: rows.map((row) => row.replace(CONJUNCT, 'न्')), cursor }
        return Bun.deepEquals(picture, drawing(expected))
      }
      await waitUntil(isAlike, 'the same screen', SETTLE_MS)
    } catch {
      expect(picture, `attached after ${cut} of ${whole.length}`).toEqual(drawing(expected)) // shows the differences
    }
    screen.dispose()
  })
})

/** Changes the window until the terminal has the size of the recordings. */
async function fit(t: Scratch, { page }: Visitor, shown: Shown): Promise<void> {
  const size = async () => {
    const { ptys } = JSON.parse(output(await t.coop(['status', '--json']))) as Status
    return ptys[0]?.clients[0]?.size
  }
  const { columns, rows } = await waitUntil(size, 'the size of the window')
  const drawn = await shown.root.locator('.xterm-screen').boundingBox()
  const now = page.viewportSize()
  if (!drawn || !now) throw new Error('nothing is drawn')
  const [column, row] = [drawn.width / columns, drawn.height / rows]
  await page.setViewportSize({
    width: Math.ceil(now.width + (COLUMNS - columns) * column),
    height: Math.ceil(now.height + (ROWS - rows) * row),
  })
  let last: unknown
  const fits = async () => {
    const found = await size()
    last = found
    return found?.columns === COLUMNS && found.rows === ROWS
  }
  await waitUntil(fits, () => `a window of ${COLUMNS}x${ROWS}, not ${JSON.stringify(last)}`)
}

interface Status {
  readonly ptys: readonly {
    readonly clients: readonly { readonly size?: { columns: number; rows: number } }[]
  }[]
}
