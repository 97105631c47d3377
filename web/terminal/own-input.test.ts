/** With the real xterm.js: programs' questions get no answer from the page, and what a person types passes. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import type { Terminal } from '@xterm/xterm'
import { onOwnInput } from './own-input.ts'

beforeAll(() => GlobalRegistrator.register())
afterAll(() => GlobalRegistrator.unregister())

async function make(): Promise<{ terminal: Terminal; typed: string[]; all: string[] }> {
  const { Terminal } = await import('@xterm/xterm')
  const terminal = new Terminal({
    cols: 80,
    rows: 24,
    allowProposedApi: true,
    windowOptions: { getWinSizeChars: true },
  })
  const place = document.createElement('div')
  document.body.append(place)
  terminal.open(place)
  const [typed, all]: [string[], string[]] = [[], []]
  terminal.onData((data) => all.push(data))
  onOwnInput(terminal, (bytes) => typed.push(new TextDecoder().decode(bytes)))
  return { terminal, typed, all }
}

const write = (terminal: Terminal, text: string): Promise<void> =>
  new Promise((resolve) => terminal.write(text, resolve))

const QUESTIONS = [
  ...[
    '\x1b[c',
    '\x1b[>c',
    '\x1b[5n',
    '\x1b[6n',
    '\x1b[?6n',
    '\x1b[?1$p',
    '\x1b[4$p',
    '\x1bP$qm\x1b\\',
    '\x1b[18t',
  ],
]

test('the library answers these questions by itself', async () => {
  const { terminal, all } = await make()
  for (const question of QUESTIONS) await write(terminal, question)
  expect(all.length).toBeGreaterThanOrEqual(QUESTIONS.length - 1) // else the next test says nothing
  terminal.dispose()
})

test('none of the answers is typed into the program', async () => {
  const { terminal, typed } = await make()
  for (const question of QUESTIONS) await write(terminal, question)
  expect(typed).toEqual([])
  terminal.dispose()
})

test('what a person types or pastes is', async () => {
  const { terminal, typed } = await make()
  terminal.input('a')
  await write(terminal, '\x1b[6n')
  terminal.input('\x1b[A')
  terminal.paste('two\nlines')
  await write(terminal, '\x1b[?2004h')
  terminal.paste('again')
  terminal.input('program', false)
  expect(typed).toEqual(['a', '\x1b[A', 'two\rlines', '\x1b[200~again\x1b[201~'])
  terminal.dispose()
})
