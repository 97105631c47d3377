import { beforeEach, describe, expect, test } from 'bun:test'
import { FakeDaemon, settled } from './fake-socket.ts'
import { type LineUser, TerminalLine } from './terminal-line.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (some: Uint8Array): string => new TextDecoder().decode(some)

class Shown implements LineUser {
  readonly log: string[] = []
  readonly #waiting: (() => void)[] = []
  /** Everything that came is on the screen now. */
  show(): void {
    for (const shown of this.#waiting.splice(0)) shown()
  }
  output(some: Uint8Array, _offset: number, shown: () => void): void {
    this.log.push(text(some))
    this.#waiting.push(shown)
  }
  screen(some: Uint8Array): void {
    this.log.push(`screen ${text(some)}`)
  }
  picture(some: Uint8Array): void {
    this.log.push(`picture ${text(some)}`)
  }
  notice(said: string): void {
    this.log.push(`notice ${said}`)
  }
  ended({ code }: { code: number }): void {
    this.log.push(`ended ${code}`)
  }
  refused({ message }: Error): void {
    this.log.push(`refused ${message}`)
  }
  dropped(some: Uint8Array): void {
    this.log.push(`dropped ${text(some)}`)
  }
}

const CHANNEL = 1
const shown = { box: 'a', pty: 0, detachKey: '' }

describe('a terminal', () => {
  let daemon: FakeDaemon
  let user: Shown
  let line: TerminalLine

  beforeEach(async () => {
    daemon = new FakeDaemon()
    daemon.connection.start()
    daemon.socket.greet()
    user = new Shown()
    line = new TerminalLine(daemon.connection, { box: 'a', pty: 0, readonly: false }, user)
    line.attach()
    await daemon.socket.answer('attach', { ...shown, taken: 0 })
  })

  const comeBack = async (taken: number): Promise<void> => {
    daemon.connection.check()
    daemon.socket.greet()
    await daemon.socket.answer('attach', { ...shown, taken })
  }

  test('is attached on a channel of its own, from its screen', () => {
    const { channel, call } = daemon.socket.asked('attach')
    expect(channel).toBe(CHANNEL)
    expect(call).toEqual({ do: 'attach', box: 'a', cwd: '', pty: 0, readonly: false, terminal: 'browser' })
  })

  test('continues its output where it stopped', async () => {
    daemon.socket.screen(CHANNEL, 100, 'S')
    daemon.socket.output(CHANNEL, 100, 'abc')
    daemon.socket.drop()
    daemon.connection.check()
    daemon.socket.greet()
    expect(daemon.socket.asked('attach').call).toMatchObject({ from: 103 })
    daemon.socket.output(CHANNEL, 101, 'bcde')
    daemon.socket.output(CHANNEL, 104, 'e')
    daemon.socket.output(CHANNEL, 105, 'f')
    expect(user.log).toEqual(['screen S', 'abc', 'de', 'f'])
  })

  test('sends what is typed while it is attached anew after the answer, each byte once', async () => {
    line.send(bytes('a'))
    line.send(bytes('b'))
    line.attach(true)
    line.send(bytes('c'))
    expect(daemon.socket.typed.get(CHANNEL)).toBe('ab')
    await daemon.socket.answer('attach', { ...shown, taken: 1 }) // the terminal has not got the other byte yet
    expect(daemon.socket.typed.get(CHANNEL)).toBe('abbc')
    line.send(bytes('d'))
    expect(daemon.socket.typed.get(CHANNEL)).toBe('abbcd')
  })

  test('asks for the screen anew when it shows a picture for a window of its size', () => {
    daemon.socket.screen(CHANNEL, 100, 'S')
    daemon.socket.output(CHANNEL, 100, 'abc')
    daemon.socket.screen(CHANNEL, 103, 'P')
    daemon.socket.picture(CHANNEL, 110, 'p')
    daemon.socket.drop()
    daemon.connection.check()
    daemon.socket.greet()
    expect(daemon.socket.asked('attach').call).not.toHaveProperty('from')
  })

  test('sends again what the program did not get, and nothing twice', async () => {
    line.send(bytes('hello'))
    expect(daemon.socket.typed.get(CHANNEL)).toBe('hello')
    daemon.socket.taken(CHANNEL, 2)
    daemon.socket.drop()
    line.send(bytes(' world'))
    expect(text(line.unsent.value)).toBe('llo world')
    daemon.connection.check()
    daemon.socket.greet()
    expect(daemon.socket.asked('attach').call).toMatchObject({ typed: 2 })
    // The daemon had got one byte more before the connection broke.
    await daemon.socket.answer('attach', { ...shown, taken: 3 })
    expect(daemon.socket.typed.get(CHANNEL)).toBe('lo world')
    expect(line.unsent.value).toHaveLength(0)
  })

  test('keeps what is typed before the first connection', async () => {
    const late = new FakeDaemon()
    late.connection.start()
    const other = new TerminalLine(late.connection, { box: 'a', pty: 0, readonly: false }, user)
    other.attach()
    other.send(bytes('early'))
    late.socket.greet()
    await late.socket.answer('attach', { ...shown, taken: 0 })
    expect(late.socket.typed.get(CHANNEL)).toBe('early')
    late.connection.stop()
  })

  test('forgets what was typed without a connection when the user says so', async () => {
    line.send(bytes('abc'))
    daemon.socket.drop()
    line.send(bytes('rm -rf'))
    line.dropUnsent()
    expect(line.unsent.value).toHaveLength(0)
    line.send(bytes('ls'))
    // `abc` had arrived, although nobody could say so.
    await comeBack(3)
    expect(daemon.socket.typed.get(CHANNEL)).toBe('ls')
    daemon.socket.taken(CHANNEL, 5)
    line.send(bytes('!'))
    daemon.socket.drop()
    await comeBack(5)
    expect(daemon.socket.typed.get(CHANNEL)).toBe('!')
  })

  test('says so when more is typed than it keeps', () => {
    daemon.socket.drop()
    line.send(bytes('x'.repeat(4000)))
    line.send(bytes('y'.repeat(200)))
    expect(user.log).toEqual([`dropped ${'y'.repeat(200)}`])
    expect(line.unsent.value).toHaveLength(4000)
  })

  test('says nothing was lost of what ended the program, and does not type it into the next', async () => {
    line.send(bytes('exit\r'))
    daemon.socket.tell({ type: 'exit', code: 0, ended: 'command', channel: CHANNEL })
    expect(user.log).toEqual(['ended 0'])
    line.attach()
    await daemon.socket.answer('attach', { ...shown, taken: 5 })
    line.send(bytes('ls'))
    expect(daemon.socket.typed.get(CHANNEL)).toBe('exit\rls')
  })

  test('says what was lost when the terminal ended meanwhile', async () => {
    daemon.socket.drop()
    line.send(bytes('make\r'))
    daemon.connection.check()
    daemon.socket.greet()
    await daemon.socket.refuse('attach', 'E_BOX_STATE', 'the box a is stopped')
    expect(user.log).toEqual(['dropped make\r', 'refused the box a is stopped'])
    expect(line.state.value).toBe('ended')
    line.send(bytes('more'))
    expect(daemon.socket.typed.size).toBe(0)
  })

  test('says what was shown, and no earlier', () => {
    daemon.socket.output(CHANNEL, 0, 'x'.repeat(9000))
    expect(daemon.socket.shown).toEqual(new Map())
    user.show()
    expect(daemon.socket.shown).toEqual(new Map([[CHANNEL, 9015]])) // with the 15 bytes of the frame's head
    daemon.socket.output(CHANNEL, 4000, 'y'.repeat(5000)) // known already, so nobody has to show it
    daemon.socket.output(CHANNEL, 9000, 'z'.repeat(5000))
    user.show()
    expect(daemon.socket.shown.get(CHANNEL)).toBe(9015 + 2 * 5015)
  })

  test('tells its size once, and when nobody sees it', () => {
    const size = { columns: 80, rows: 24 }
    line.resize(size, true)
    line.resize({ ...size }, true)
    line.resize(size, false)
    const sizes = daemon.socket.messages.filter(({ type }) => type === 'resize')
    expect(sizes).toEqual([
      { type: 'resize', channel: CHANNEL, size, visible: true },
      { type: 'resize', channel: CHANNEL, size, visible: false },
    ])
  })

  test('does not make others small by attaching unseen', async () => {
    line.resize({ columns: 20, rows: 5 }, false)
    daemon.socket.drop()
    await comeBack(0)
    expect(daemon.socket.asked('attach').call).not.toHaveProperty('size')
    expect(daemon.socket.messages.at(-1)).toMatchObject({ type: 'resize', visible: false })
  })

  test('is read only when it should be', async () => {
    const reader = new TerminalLine(daemon.connection, { box: 'a', pty: 0, readonly: true }, user)
    reader.attach()
    await daemon.socket.answer('attach', { ...shown, taken: 0 })
    reader.send(bytes('no'))
    expect(daemon.socket.typed.size).toBe(0)
  })

  test('gives its channel back', async () => {
    line.close()
    await settled()
    expect(daemon.socket.messages.at(-1)).toEqual({ type: 'close', channel: CHANNEL })
    daemon.socket.output(CHANNEL, 0, 'late')
    expect(user.log).toEqual([])
  })
})
