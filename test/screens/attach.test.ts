/**
 * A client that attaches in the middle of a program's output has the same screen as one that was attached from the
 * beginning: real recordings through a real box, in two real terminals.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, needed, output } from '../integration/support.ts'

const RECORDINGS = [
  'vim',
  'htop',
  'less',
  'mc',
  'nano',
  'tmux',
  'dialog',
  'git-log',
  'wide-text',
  'emacs',
  'modes',
]
const CUTS = [0.27, 0.63] // of the bytes; the cut may fall into a sequence or a character
const can = needed(ordinary, 'tmux')

const wait = (file: string) => `until [ -e ${file} ]; do sleep 0.02; done`

describe.each(RECORDINGS)('%s', (name) => {
  test.skipIf(can.missing).each(CUTS)(
    `is the same for a client that attaches after %d of it${can.note}`,
    async (cut) => {
      await using t = await scratch(ordinary, { git: false })
      const packed = readFileSync(join(import.meta.dir, 'recordings', `${name}-80x24.gz`))
      const bytes = Bun.gunzipSync(packed)
      const size = Math.floor(bytes.length * cut)
      t.write('recording', bytes)
      const script = [
        'stty raw -echo',
        wait('start'),
        `head -c ${size} recording`,
        'touch half',
        wait('go'),
        `tail -c +${size + 1} recording`,
        'touch done',
        'exec sleep 1000',
      ]
      output(await t.coop(['-d', '-n', 'box', '--agent', `sh -c '${script.join('; ')}'`]))
      const first = await t.coopTerminal(['attach'])
      await waitUntil(async () => (await box(t)).clients === 1, 'the first client')
      t.write('start', '')
      await waitUntil(() => existsSync(join(t.workspace, 'half')), 'the first part')
      const second = await t.coopTerminal(['attach'])
      await waitUntil(async () => (await box(t)).clients === 2, 'the second client')
      t.write('go', '')
      await waitUntil(() => existsSync(join(t.workspace, 'done')), 'the rest')
      const state =
        '#{cursor_x},#{cursor_y},#{cursor_flag},#{alternate_on},#{keypad_cursor_flag},#{mouse_any_flag}'
      const look = async (terminal: typeof first) => ({
        screen: await terminal.screen({ escapes: true }),
        state: await terminal.info(state),
      })
      let seen = { first: await look(first), second: await look(second) }
      try {
        await waitUntil(
          async () => {
            seen = { first: await look(first), second: await look(second) }
            return Bun.deepEquals(seen.first, seen.second) && seen.first.screen.trim() !== ''
          },
          'both to be the same',
          5_000,
        )
      } catch {
        expect(seen.second).toEqual(seen.first) // shows the differences
      }
    },
  )
})
