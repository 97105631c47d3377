import { expect, test } from 'bun:test'
import { ScreenModes } from './screen-modes.ts'

const PLAIN = '\x1b[0m'
const after = (...output: (string | Uint8Array)[]): string => {
  const modes = new ScreenModes()
  for (const part of output) modes.watch(typeof part === 'string' ? Buffer.from(part) : part)
  return modes.restore()
}

test('a program that set nothing leaves nothing to undo', () => {
  expect(after('hello \x1b[31mred')).toBe(PLAIN)
})

test('what was set is undone, what the program undid itself is not', () => {
  expect(after('\x1b[?1049h\x1b[?2004h\x1b[?1000;1006h\x1b[?25l\x1b[>1u')).toBe(
    `\x1b[?1049l\x1b[?2004l\x1b[?1000l\x1b[?1006l\x1b[<1u\x1b[?25h${PLAIN}`,
  )
  expect(after('\x1b[?1049h\x1b[?25l\x1b[>1u', '\x1b[<u\x1b[?25h\x1b[?1049l')).toBe(PLAIN)
})

test('sequences may be split at every byte', () => {
  const output = Buffer.from('x\x1b[?1049hy\x1b[>5uz\x1b[?2004h')
  const whole = after(output)
  for (let at = 0; at <= output.length; at++)
    expect(after(output.subarray(0, at), output.subarray(at))).toBe(whole)
})
