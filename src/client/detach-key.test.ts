import { describe, expect, test } from 'bun:test'
import { DetachKey, keySequences } from './detach-key.ts'

const feed = (...parts: (string | Uint8Array)[]): { forward: string; detach: boolean } => {
  const key = new DetachKey('ctrl-]')
  let forward = ''
  for (const part of parts) {
    const typed = key.push(typeof part === 'string' ? Buffer.from(part) : part)
    forward += typed.forward.toString('latin1')
    if (typed.detach) return { forward, detach: true }
  }
  return { forward: forward + key.flush().toString('latin1'), detach: false }
}

describe('the detach key', () => {
  test.each(
    keySequences('ctrl-]').map((sequence) => [JSON.stringify(sequence.toString()), sequence] as const),
  )('is found as %s, wherever a read splits it', (_, sequence) => {
    for (let at = 0; at <= sequence.length; at++)
      expect(feed('ab', sequence.subarray(0, at), sequence.subarray(at), 'c')).toEqual({
        forward: 'ab',
        detach: true,
      })
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

  test('other keys pass, in any pieces', () => {
    const input = Buffer.from('\x1b\x1b[A\x1bOP\x1b[93;6u\x1b[27;5;92~\x03ä\x1b[20')
    expect(feed(...[...input].map((byte) => Uint8Array.of(byte)))).toEqual({
      forward: input.toString('latin1'),
      detach: false,
    })
  })

  test('another key can be configured', () => {
    expect(new DetachKey('ctrl-q').push(Buffer.from('a\x11b'))).toMatchObject({ detach: true })
    expect(new DetachKey('ctrl-q').push(Buffer.from('\x1d'))).toMatchObject({ detach: false })
  })

  test('a lone Escape is held only until it is asked for', () => {
    const key = new DetachKey('ctrl-]')
    expect(key.push(Buffer.from('\x1b')).forward).toHaveLength(0)
    expect(key.holding).toBe(true)
    expect(key.flush().toString()).toBe('\x1b')
  })
})
