import { afterEach, beforeEach, expect, test } from 'bun:test'
import { FRAME_OUTPUT } from '../protocol/frames.ts'
import type { Pty } from '../terminal/pty.ts'
import { Feed } from './feed.ts'
import { Connection, Opened, SIZE } from './testing.ts'

let opened: Opened
let pty: Pty

beforeEach(async () => {
  opened = await Opened.open()
  pty = opened.pty
})
afterEach(() => opened[Symbol.dispose]())

/** A browser whose window changes its size before, or after, it has shown a screen that is drawn for 120 columns. */
const wide = async (before = 0) => {
  const shown = new Feed(pty, new Connection(), { readonly: false, size: SIZE, from: undefined })
  for (let screen = 0; screen < before; screen++) pty.say(`${'z'.repeat(78)}\r\n`.repeat(24))
  if (before) pty.say('\x1b[2J\x1b[3J\x1b[H')
  for (let line = 0; line < 3; line++) pty.say(`${'x'.repeat(100)}\r\n`)
  pty.say('end')
  shown.close()
  const connection = new Connection()
  connection.isRemote = true
  const options = { readonly: false, size: { columns: 120, rows: 40 }, from: undefined }
  return { feed: new Feed(pty, connection, options), connection }
}
/** The row in which a screen puts the cursor. */
const row = ({ text }: { readonly text: string }): number =>
  Number([...text.matchAll(/\x1b\[(\d+);\d+H/g)].at(-1)?.[1])

test('a window that changes its size while the screen is made gets one of the new size', async () => {
  // So much output that its screen takes longer than the emulator's first turn, which comes at once.
  const { feed: changing, connection } = await wide(100)
  expect(connection.got).toEqual([])
  changing.resize(SIZE, true)
  await connection.has(2)
  expect(connection.got.map(row)).toEqual([4, 7])
})

test.each([
  ['before it has shown the screen gets another', 1, [4, 7]],
  ['after it has shown the screen draws that by itself', 0, [4]],
])('a window that changes its size %s', async (_, onTheWay, screens) => {
  const { feed: changing, connection } = await wide()
  await connection.has(1)
  connection.queued = onTheWay
  changing.resize(SIZE, true)
  connection.queued = 0
  changing.catchUp()
  await connection.has(screens.length)
  pty.say('!')
  await connection.has(screens.length + 1)
  expect(connection.got.at(-1)).toMatchObject({ type: FRAME_OUTPUT, text: '!' })
  expect(connection.got.slice(0, -1).map(row)).toEqual(screens)
})
