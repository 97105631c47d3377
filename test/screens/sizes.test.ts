/** Windows of several sizes on one terminal: each shows the part that fits, for any output. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Terminal } from '../harness/terminal.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, needed, output } from '../integration/support.ts'
import { read } from './tmux.ts'

const RECORDINGS = ['vim', 'htop', 'mc', 'bash', 'git-log', 'wide-text', 'wrap']
const COLUMNS = 110 // of the widest
const can = needed(ordinary, 'tmux')

/** Some rows of a window with their attributes, and the cursor if it is visible among them. */
async function look(terminal: Terminal, top: number, rows: number) {
  const captured = await terminal.screen({ escapes: true })
  const [x, y, isShown] = (await terminal.info('#{cursor_x},#{cursor_y},#{cursor_flag}')).split(',')
  return {
    rows: read(captured, COLUMNS, top + rows).slice(top),
    cursor: isShown === '1' ? { x: Number(x), y: Number(y) - top } : 'hidden',
  }
}

async function same(look: () => Promise<{ seen: unknown; wanted: unknown }>): Promise<void> {
  let last = await look()
  try {
    const settled = async () => {
      last = await look()
      return Bun.deepEquals(last.seen, last.wanted)
    }
    await waitUntil(settled, 'both to be the same', 5_000)
  } catch {
    expect(last.seen).toEqual(last.wanted) // shows the differences
  }
}

async function attached(t: Scratch, clients: number, args: string[], columns: number, rows: number) {
  const terminal = await t.coopTerminal(['attach', ...args], { columns, rows })
  await waitUntil(async () => (await box(t)).clients === clients, `client ${clients}`)
  return terminal
}

describe.each(RECORDINGS)('%s', (name) => {
  test.skipIf(can.missing)(
    `a larger window, a smaller one and a fitting one show the same screen${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      t.write(
        'recording',
        Bun.gunzipSync(readFileSync(join(import.meta.dir, 'recordings', `${name}-80x24.gz`))),
      )
      const play =
        'stty raw -echo; until [ -e go ]; do sleep 0.02; done; cat recording; touch done; exec sleep 1000'
      output(await t.coop(['-d', '-n', 'box', '--agent', `sh -c '${play}'`]))
      const fits = await attached(t, 1, [], 80, 24)
      const large = await attached(t, 2, [], 110, 34)
      const small = await attached(t, 3, ['--readonly'], 80, 11)
      t.write('go', '')
      await waitUntil(() => existsSync(join(t.workspace, 'done')), 'all of it')

      await same(async () => ({ seen: await look(large, 0, 24), wanted: await look(fits, 0, 24) }))
      expect(await large.screen()).toContain('[the program has 80x24]')
      await same(async () => {
        const top = Math.max(0, Number(await fits.info('#{cursor_y}')) - 10)
        return { seen: await look(small, 0, 11), wanted: await look(fits, top, 11) }
      })

      // A client whose window alone decides the size gets the whole screen, like a later client.
      await fits.keys('C-]')
      await fits.exited()
      await large.waitForScreen((screen) => !screen.includes('[the program has'), 'its own size')
      const late = await attached(t, 3, [], 110, 34)
      await same(async () => ({ seen: await look(large, 0, 34), wanted: await look(late, 0, 34) }))
    },
  )
})

test.skipIf(can.missing)(`input from a larger window arrives${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  output(await t.coop(['-d', '-n', 'box', '--agent', 'cat']))
  const fits = await attached(t, 1, [], 40, 10)
  const large = await attached(t, 2, [], 80, 24)
  for (let i = 0; i < 30; i++) await large.line(`line ${i}`)
  await fits.waitFor(/line 29/)
  await same(async () => ({ seen: await look(large, 0, 10), wanted: await look(fits, 0, 10) }))
  await large.keys('C-]')
  expect(await large.exited()).toBe(0)
})
