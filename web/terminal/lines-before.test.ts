/** With the real xterm.js: a ring and a screen together show every line once. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import { join } from '../connection/pieces.ts'

beforeAll(() => GlobalRegistrator.register())
afterAll(() => GlobalRegistrator.unregister())

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `\x1b[3${(from + at) % 7}mline ${from + at}\x1b[m`).join(
    '\r\n',
  )

async function make() {
  const { Terminal } = await import('@xterm/xterm')
  return new Terminal({ cols: 80, rows: 24, scrollback: 10_000, allowProposedApi: true })
}

async function textOf(content: Uint8Array): Promise<string[]> {
  const terminal = await make()
  await new Promise<void>((resolve) => terminal.write(content, resolve))
  const { normal } = terminal.buffer
  const all = Array.from(
    { length: normal.length },
    (_, row) => normal.getLine(row)?.translateToString(true) ?? '',
  )
  terminal.dispose()
  return all
}

test('lines that the screen has lost come before it, in their order and colours', async () => {
  const { linesBefore } = await import('./lines-before.ts')
  const shown = await make()
  const before = await linesBefore(shown, bytes(lines(0, 3000)), bytes(lines(1976, 3000)))
  const all = await textOf(join([before ?? new Uint8Array(0), bytes(lines(1976, 3000))]))
  expect(all).toEqual(Array.from({ length: 3000 }, (_, line) => `line ${line}`))
  expect(new TextDecoder().decode(before)).toContain('\x1b[31mline 1')
  shown.dispose()
})

test('nothing is added to a screen that has as much', async () => {
  const { linesBefore } = await import('./lines-before.ts')
  const shown = await make()
  expect(await linesBefore(shown, bytes(lines(500, 1500)), bytes(lines(0, 1500)))).toBeUndefined()
  shown.dispose()
})

test('a ring that begins within a line and a sequence does no harm', async () => {
  const { linesBefore } = await import('./lines-before.ts')
  const shown = await make()
  const ring = bytes(`;5mhalf\r\n${lines(1, 2000)}`)
  const before = await linesBefore(shown, ring, bytes(lines(1000, 2000)))
  const all = await textOf(join([before ?? new Uint8Array(0), bytes(lines(1000, 2000))]))
  expect(all.slice(1)).toEqual(Array.from({ length: 1999 }, (_, at) => `line ${at + 1}`))
  shown.dispose()
})

test('output as text has whole lines, and each in its last state', async () => {
  const { asText } = await import('./as-text.ts')
  const output = bytes(`${'x'.repeat(100)}\r\n10%\r100%\r\n\x1b[31mred\x1b[m\r\n\r\n`)
  expect(await asText(output, 40)).toBe(`${'x'.repeat(100)}\n100%\nred`)
})
