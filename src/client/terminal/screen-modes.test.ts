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

test('margins, line drawing and colours of the palette are undone, when they were set', () => {
  const restored = (text: string): string => {
    const modes = new ScreenModes()
    modes.watch(Buffer.from(text))
    return modes.restore()
  }
  for (const text of ['\x1b[3;10r', '\x1b(0', '\x0e', '\x1b[?6h', '\x1b[?7l', '\x1b[?1;5h'])
    expect(restored(text)).toContain('\x1b[!p')
  expect(restored('\x1b]4;1;#ff0000\x07')).toContain('\x1b]104\x07')
  expect(restored('\x1b]11;?\x07\x1b[31mred')).toBe('\x1b[0m')
})
