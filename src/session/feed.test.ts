import { afterEach, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import { FRAME_OUTPUT, FRAME_SCREEN } from '../protocol/frames.ts'
import type { Pty } from '../terminal/pty.ts'
import { RING_SIZE } from '../terminal/ring.ts'
import { Feed, type FeedOptions } from './feed.ts'
import { Connection, Opened, SIZE } from './testing.ts'

const FULL = 1 << 20 // bytes; more than a feed queues for any client

let opened: Opened
let pty: Pty

beforeEach(async () => {
  opened = await Opened.open()
  pty = opened.pty
})
afterEach(() => {
  setSystemTime()
  opened[Symbol.dispose]()
})

function feed(options: Partial<FeedOptions> = {}, queued = 0): { feed: Feed; connection: Connection } {
  const connection = new Connection()
  connection.queued = queued
  return {
    feed: new Feed(pty, connection, { readonly: false, size: SIZE, from: undefined, ...options }),
    connection,
  }
}

describe('who comes', () => {
  test('anew gets the screen, then what follows it', async () => {
    pty.say('before')
    const { connection } = feed()
    await connection.has(1)
    pty.say('after')
    expect(connection.types).toEqual([FRAME_SCREEN, FRAME_OUTPUT])
    expect(connection.got[0]).toMatchObject({ offset: 6, text: expect.stringContaining('before') })
    expect(connection.got[1]).toMatchObject({ offset: 6, text: 'after' })
  })

  test('in a hidden window gets the screen again when the window is seen and has another size', async () => {
    pty.say('x'.repeat(70))
    const { feed: hidden, connection } = feed({ size: undefined })
    await connection.has(1)
    pty.say(' more')
    hidden.resize({ columns: 40, rows: 24 }, true)
    await connection.has(3)
    expect(connection.types).toEqual([FRAME_SCREEN, FRAME_OUTPUT, FRAME_SCREEN])
    pty.say('after')
    expect(connection.got[3]).toMatchObject({ type: FRAME_OUTPUT, offset: 75, text: 'after' })
  })

  test('in a hidden window gets it once when the window is seen and has the same size', async () => {
    feed() // the terminal has its size
    const { feed: hidden, connection } = feed({ size: undefined })
    await connection.has(1)
    hidden.resize(SIZE, true)
    pty.say('after')
    expect(connection.types).toEqual([FRAME_SCREEN, FRAME_OUTPUT])
  })

  test('only to watch from a browser holds up no program, however little it reads', async () => {
    const stalled = (readonly: boolean): Feed => {
      const connection = new Connection()
      connection.isRemote = true
      const one = new Feed(pty, connection, { readonly, size: SIZE, from: pty.ring.offset })
      connection.queued = FULL
      return one
    }
    expect(stalled(false).position).toBeNumber() // the program waits a moment for who may type
    expect(stalled(true).position).toBeUndefined()
  })

  test('back gets exactly what it has not got yet', () => {
    pty.say('0123456789')
    const { connection } = feed({ from: 4 })
    pty.say('abc')
    expect(connection.textFrom(4)).toBe('456789abc')
  })

  test('back with everything gets nothing twice', () => {
    pty.say('0123456789')
    const { connection } = feed({ from: 10 })
    expect(connection.got).toEqual([])
    pty.say('abc')
    expect(connection.textFrom(10)).toBe('abc')
  })

  test.each([
    ['too late', 5],
    ['from another life of the terminal', RING_SIZE * 9],
  ])('back %s gets the screen', async (_, from) => {
    pty.say('x'.repeat(RING_SIZE + 100))
    const { connection } = feed({ from })
    await connection.has(1)
    expect(connection.got).toMatchObject([{ type: FRAME_SCREEN, offset: RING_SIZE + 100 }])
    expect(connection.notices).toEqual([]) // the client gets the screen, and no notice about missed output
  })
})

describe('who is slow', () => {
  test('gets the rest from the ring when there is room, each byte once', () => {
    const { feed: slow, connection } = feed({ from: 0 })
    pty.say('one ')
    connection.queued = FULL
    pty.say('two ')
    pty.say('three ')
    expect(connection.textFrom(0)).toBe('one ')
    connection.queued = 0
    slow.catchUp()
    pty.say('four')
    expect(connection.textFrom(0)).toBe('one two three four')
  })

  test('keeps nobody else waiting', () => {
    feed({ from: 0 }, FULL)
    const { connection: quick } = feed({ from: 0 })
    pty.say('now')
    expect(quick.textFrom(0)).toBe('now')
  })

  test('beyond what the ring holds is told how much it missed, and gets the screen', async () => {
    const { feed: slow, connection } = feed({ from: 0 })
    pty.say('seen')
    connection.queued = FULL
    pty.say('x'.repeat(RING_SIZE + 96))
    connection.queued = 0
    slow.catchUp()
    await connection.has(2)
    expect(connection.notices).toEqual(['96 bytes of output came too fast and were left out'])
    expect(connection.types).toEqual([FRAME_OUTPUT, FRAME_SCREEN])
    expect(connection.got[1]?.offset).toBe(pty.ring.offset)
  })

  test('again and again gets a screen only as often as a person can see, and then the newest', async () => {
    setSystemTime(new Date()) // stands still
    const { feed: slow, connection } = feed()
    await connection.has(1)
    const flood = (): void => {
      connection.queued = FULL
      pty.say('x'.repeat(RING_SIZE + 1))
      connection.queued = 0
      slow.catchUp()
    }
    flood()
    expect(connection.types).toEqual([FRAME_SCREEN]) // the screen that it got when it attached
    setSystemTime()
    await connection.has(2)
    expect(connection.got.at(-1)).toMatchObject({ type: FRAME_SCREEN, offset: pty.ring.offset })
    expect(connection.got).toHaveLength(2)
    pty.say('live')
    expect(connection.got.at(-1)).toMatchObject({ type: FRAME_OUTPUT, text: 'live' })
  })

  test('and only wants bytes gets those that are left, and no screen', () => {
    const { feed: slow, connection } = feed({ from: 0, plain: true })
    connection.queued = FULL
    pty.say(`${'x'.repeat(RING_SIZE)}tail`)
    connection.queued = 0
    slow.catchUp()
    expect(connection.notices).toEqual(['4 bytes of output came too fast and were left out'])
    expect(connection.textFrom(4)).toEndWith('xtail')
    expect(connection.textFrom(4)).toHaveLength(RING_SIZE)
  })
})

describe('a browser', () => {
  const WINDOW = 48 * 1024
  const browser = (): { feed: Feed; connection: Connection } => {
    const connection = new Connection()
    connection.isRemote = true
    return { feed: new Feed(pty, connection, { readonly: false, size: SIZE, from: 0 }), connection }
  }

  test('has no more on the way than its window, and gets the rest as it shows what it has', () => {
    const { feed: one, connection } = browser()
    connection.send = function (this: Connection, ...parts: Uint8Array[]): void {
      Connection.prototype.send.apply(this, parts)
      this.queued += this.got.at(-1)?.text.length ?? 0
    }
    pty.say('x'.repeat(WINDOW + 500))
    pty.say('y'.repeat(1000))
    expect(connection.textFrom(0).length).toBeLessThanOrEqual(WINDOW + 500)
    connection.queued = 0
    one.catchUp()
    expect(connection.textFrom(0)).toBe(`${'x'.repeat(WINDOW + 500)}${'y'.repeat(1000)}`)
  })

  test('for which nobody waits any more gets a screen instead of old output', async () => {
    const { feed: one, connection } = browser()
    one.excuse()
    connection.queued = FULL
    pty.say('x'.repeat(2 * WINDOW))
    connection.queued = 0
    one.catchUp()
    await connection.has(1)
    expect(connection.got).toMatchObject([{ type: FRAME_SCREEN, offset: 2 * WINDOW }])
    expect(connection.notices).toEqual([])
  })

  test('gets the scrollback, too, when it keeps up again', async () => {
    const { feed: one, connection } = browser()
    one.excuse()
    connection.queued = FULL
    pty.say(`the first line\r\n${'x'.repeat(70)}\r\n`)
    pty.say(`${'y'.repeat(70)}\r\n`.repeat(980))
    connection.queued = 0
    one.catchUp()
    await connection.has(2)
    expect(connection.types).toEqual([FRAME_SCREEN, FRAME_SCREEN])
    expect(connection.got[0]?.text).not.toContain('the first line')
    expect(connection.got[1]?.text).toContain('the first line')
    pty.say('live')
    expect(connection.got.at(-1)).toMatchObject({ type: FRAME_OUTPUT, text: 'live' })
  })

  test('gets all of the output while the program waits for it', () => {
    const { feed: one, connection } = browser()
    connection.queued = FULL
    pty.say('x'.repeat(2 * WINDOW))
    connection.queued = 0
    one.catchUp()
    connection.queued = 0
    expect(connection.types).not.toContain(FRAME_SCREEN)
  })

  test('answers no question of the program', () => {
    const { feed: one } = browser()
    expect(one.mayAnswer).toBe(false)
    expect(feed({ from: 0 }).feed.mayAnswer).toBe(true)
  })
})

describe('the program is kept waiting', () => {
  test('for what a client has really got, not for what waits to be sent', () => {
    const { feed: one, connection } = feed({ from: 0 })
    pty.say('0123456789')
    connection.queued = 7
    expect(one.position).toBe(3)
  })

  test('for nobody who was excused, or who needs a screen anyhow', () => {
    const { feed: one } = feed({ from: 0 })
    expect(one.position).toBe(0)
    one.excuse()
    expect(one.position).toBeUndefined()
    expect(feed({}, FULL).feed.position).toBeUndefined()
    const { feed: late, connection } = feed({ from: 0 })
    connection.queued = FULL
    pty.say('x'.repeat(RING_SIZE + 1))
    expect(late.position).toBeUndefined()
  })
})

describe('the size', () => {
  const small = { columns: 40, rows: 10 }

  test('is not that of who only watches, or whose window is hidden', () => {
    const { feed: main } = feed()
    const { feed: watcher } = feed({ readonly: true, size: small })
    expect([main.size, watcher.size]).toEqual([SIZE, undefined])
    expect(pty.size).toEqual(SIZE)
    main.resize(small, false)
    expect(main.size).toBeUndefined()
    main.resize(small, true)
    expect(pty.size).toEqual(small)
  })

  test('of who left does not count any more', () => {
    feed()
    const { feed: second } = feed({ size: small })
    expect(pty.size).toEqual(small)
    second.close()
    expect([...pty.clients].map(({ size }) => size)).toEqual([SIZE])
  })
})

test('listings show who is there, and nobody who only reads along', () => {
  expect(feed().feed.about).toMatchObject({ pid: 42, terminal: '/dev/pts/7', readonly: false, size: SIZE })
  expect(feed({ plain: true }).feed.about).toBeUndefined()
})

test('who has left gets nothing more, also what was due later', async () => {
  setSystemTime(new Date()) // stands still
  const { feed: left, connection } = feed()
  const { feed: other, connection: stays } = feed()
  for (const each of [connection, stays]) await each.has(1)
  for (const each of [connection, stays]) each.queued = FULL
  pty.say('x'.repeat(RING_SIZE + 1))
  for (const each of [connection, stays]) each.queued = 0
  left.catchUp() // both will get a screen in a moment
  other.catchUp()
  left.close()
  setSystemTime()
  await stays.has(2)
  pty.say('more')
  await stays.has(3)
  expect(connection.got).toHaveLength(1)
})

describe('at the end', () => {
  test('who has room for nothing gets all that is left', () => {
    const { feed: slow, connection } = feed({ from: 0 }, FULL)
    pty.say('the last words')
    expect(connection.got).toEqual([])
    slow.finish()
    expect(connection.textFrom(0)).toBe('the last words')
  })

  test('a terminal that is closed is read no more', () => {
    const { feed: slow, connection } = feed({ from: 0 }, FULL)
    pty.say('the last words')
    pty.close({ ended: 'box', code: 0 })
    slow.finish()
    expect(connection.got).toEqual([])
  })
})
