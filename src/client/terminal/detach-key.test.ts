import { describe, expect, test } from 'bun:test'
import { DetachKey, keySequences, PASTE_PAUSE_MS } from './detach-key.ts'

/** Feeds the parts, then lets the time pass. */
const feed = (...parts: (string | Uint8Array)[]): { forward: string; detach: boolean } => {
  const key = new DetachKey('ctrl-]')
  let forward = ''
  for (const part of parts) {
    const typed = key.push(typeof part === 'string' ? Buffer.from(part) : part)
    forward += Buffer.from(typed.forward).toString('latin1')
    if (typed.detach) return { forward, detach: true }
  }
  if (key.expire()) return { forward, detach: true }
  return { forward: forward + key.flush().toString('latin1'), detach: false }
}

const KEYS = keySequences('ctrl-]').map(
  (sequence) => [JSON.stringify(sequence.toString()), sequence] as const,
)

describe('the detach key', () => {
  test.each(KEYS)('is found as %s, wherever a read splits it', (_, sequence) => {
    for (let at = 0; at <= sequence.length; at++) {
      const parts = ['ab', sequence.subarray(0, at), sequence.subarray(at)]
      expect(feed(...parts)).toEqual({ forward: 'ab', detach: true })
      expect(feed(...parts, 'c')).toEqual({ forward: 'ab', detach: true })
    }
  })

  test.each(KEYS)('pressed twice as %s is the program’s key, once', (_, sequence) => {
    const expected = { forward: `a${sequence.toString('latin1')}b`, detach: false }
    const whole = Buffer.concat([Buffer.from('a'), sequence, sequence, Buffer.from('b')])
    for (let at = 0; at <= whole.length; at++)
      expect(feed(whole.subarray(0, at), whole.subarray(at))).toEqual(expected)
  })

  test('three presses are a key for the program and one that detaches', () => {
    expect(feed('\x1d\x1d\x1d')).toEqual({ forward: '\x1d', detach: true })
    expect(feed('\x1d\x1dx\x1d\x1d')).toEqual({ forward: '\x1dx\x1d', detach: false })
  })

  test('detaches at once when another key follows, which is not for the program', () => {
    const rest = (...parts: string[]): string => {
      const key = new DetachKey('ctrl-]')
      const typed = parts.map((part) => key.push(Buffer.from(part))).at(-1)
      return Buffer.from(typed?.detach ? typed.rest : key.flush()).toString()
    }
    expect(rest('a\x1dbc')).toBe('bc')
    expect(rest('a\x1d', 'bc')).toBe('bc')
    expect(rest('a\x1d\x1b[A')).toBe('\x1b[A')
    expect(rest('a\x1b[93;5u', '\x1b[93;5:3u', 'b')).toBe('b')
    expect(rest('a\x1d', '\x1b[')).toBe('\x1b[') // kept for the time when it expires
    expect(feed('a\x1d', 'bc')).toEqual({ forward: 'a', detach: true })
    expect(feed('\x1d\x1b[A')).toEqual({ forward: '', detach: true })
  })

  test('waits for a second press only after a first one', () => {
    const key = new DetachKey('ctrl-]')
    expect(key.waiting).toBe(false)
    expect(key.expire()).toBe(false)
    expect(key.push(Buffer.from('\x1d'))).toMatchObject({ detach: false })
    expect(key.waiting).toBe(true)
    expect(key.expire()).toBe(true)
    expect(key.waiting).toBe(false)
  })

  test.each([
    ['caps lock', '\x1b[93;69u'],
    ['num lock', '\x1b[93;133u'],
    ['both locks', '\x1b[93;197u'],
    ['alternate keys', '\x1b[93:125:93;5u'],
    ['a Russian layout, by the place of the key', '\x1b[1098::93;5u'],
    ['the text that it makes', '\x1b[93;5;29u'],
    ['caps lock in modifyOtherKeys', '\x1b[27;69;93~'],
  ])('is found with %s', (_, sequence) => {
    expect(feed(sequence)).toEqual({ forward: '', detach: true })
  })

  test.each([
    ['shift', '\x1b[93;6u'],
    ['alt', '\x1b[93;7u'],
    ['no modifier', '\x1b[93u'],
    ['super', '\x1b[93;13u'],
    ['another key in its place', '\x1b[61::93;5u'],
    ['a repetition', '\x1b[93;5:2u'],
    ['letting go', '\x1b[93;5:3u'],
    ['another final byte', '\x1b[93;5~'],
  ])('is not found with %s', (_, sequence) => {
    expect(feed(sequence)).toEqual({ forward: sequence, detach: false })
  })

  test('being let go or held down is neither a second press nor another key', () => {
    const [press, repeat, release] = ['\x1b[93;5u', '\x1b[93;5:2u', '\x1b[93;5:3u']
    expect(feed(press, release)).toEqual({ forward: '', detach: true })
    expect(feed(press + repeat + release)).toEqual({ forward: '', detach: true })
    expect(feed(press, release, press, release)).toEqual({ forward: press + release, detach: false })
  })

  test('in pasted text is text, wherever a read splits that', () => {
    const paste = Buffer.from('\x1b[200~x\x1dy\x1b[93;5uz\x1b[201~')
    for (let at = 0; at <= paste.length; at++)
      expect(feed(paste.subarray(0, at), paste.subarray(at))).toEqual({
        forward: paste.toString('latin1'),
        detach: false,
      })
    expect(feed(paste, '\x1d').detach).toBe(true)
  })

  test('a paste whose end never comes is over after a pause', () => {
    let now = 0
    const key = new DetachKey('ctrl-]', () => now)
    const press = () => {
      key.push(Buffer.from('\x1d'))
      return key.expire()
    }
    key.push(Buffer.from('\x1b[200~pasted'))
    now += PASTE_PAUSE_MS - 1 // a slow link
    expect(press()).toBe(false)
    now += 1 // a press is no part of the paste
    expect(press()).toBe(true)
    // The next paste is one again.
    key.push(Buffer.from('\x1b[200~'))
    expect(press()).toBe(false)
    key.push(Buffer.from('\x1b[201~'))
    expect(press()).toBe(true)
  })

  test('other keys pass, in any pieces', () => {
    const input = Buffer.from('\x1b\x1b[A\x1bOP\x1b[93;6u\x1b[27;5;92~\x03ä\x1b[20')
    expect(feed(...[...input].map((byte) => Uint8Array.of(byte)))).toEqual({
      forward: input.toString('latin1'),
      detach: false,
    })
  })

  test('another key can be configured', () => {
    const pressed = (key: string, bytes: string) => {
      const finder = new DetachKey(key)
      finder.push(Buffer.from(bytes))
      return finder.waiting
    }
    expect(pressed('ctrl-q', 'a\x11')).toBe(true)
    expect(pressed('ctrl-q', '\x1d')).toBe(false)
    expect(pressed('ctrl-q', '\x1b[113;5u')).toBe(true)
    expect(pressed('ctrl-q', '\x1b[27;69;81~')).toBe(true) // caps lock
  })

  test('a lone Escape, or digits without an end, are held only until they are asked for', () => {
    const key = new DetachKey('ctrl-]')
    expect(key.push(Buffer.from('\x1b')).forward).toHaveLength(0)
    expect(key.holding).toBe(true)
    expect(key.flush().toString()).toBe('\x1b')
    const long = `\x1b[${'1'.repeat(100)}`
    expect(Buffer.from(key.push(Buffer.from(long)).forward).toString()).toBe(long)
  })
})
