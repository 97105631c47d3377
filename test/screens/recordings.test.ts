/**
 * Recordings of real programs. A terminal that gets the screen at a cut and then the rest must look like a terminal
 * that got everything. tmux is the second emulator: it checks both the library and the sequences. `state.ts` and
 * `shownBy` list the differences that are ignored, with reasons.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Screen } from '../../src/screen/screen.ts'
import { stateOf } from './state.ts'
import { Random } from './streams.ts'
import { type Shown, shownBy, Tmux } from './tmux.ts'

const FOLDER = join(import.meta.dir, 'recordings')
const CUTS = 6
const CUTS_FOR_TMUX = 2
const RECORDINGS = readdirSync(FOLDER).filter((name) => name.endsWith('.gz'))

describe.skipIf(!Tmux.isInstalled)('recordings', () => {
  let tmux: Tmux
  beforeAll(() => {
    tmux = new Tmux()
  })
  afterAll(() => tmux[Symbol.dispose]())

  for (const name of RECORDINGS) {
    const [columns = 0, rows = 0] = (/(\d+)x(\d+)/.exec(name) ?? []).slice(1).map(Number)
    const bytes = Bun.gunzipSync(readFileSync(join(FOLDER, name)))
    test(`${name.slice(0, -3)} looks the same from every point of attaching`, async () => {
      const random = new Random(Bun.hash.crc32(name))
      const judge: Shown = await tmux.show(bytes, columns, rows)
      const whole = new Screen(columns, rows)
      whole.write(bytes)
      expect(shownBy(whole)).toEqual([...judge.rows])
      for (let i = 0; i < CUTS; i++) {
        const cut = random.below(bytes.length + 1)
        const first = new Screen(columns, rows)
        first.write(bytes.subarray(0, cut))
        const rendered = first.render()
        const second = new Screen(columns, rows)
        second.write(rendered)
        second.write(bytes.subarray(cut))
        expect(stateOf(second), `cut at ${cut}`).toEqual(stateOf(whole))
        for (const screen of [first, second]) screen.dispose()
        if (i >= CUTS_FOR_TMUX) continue
        const stream = Buffer.concat([rendered, bytes.subarray(cut)])
        expect(await tmux.show(stream, columns, rows), `in tmux, cut at ${cut}`).toEqual(judge)
      }
      whole.dispose()
    }, 20_000)
  }
})
