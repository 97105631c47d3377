import { expect, test } from 'bun:test'
import {
  CLAUDE_BASH,
  CLAUDE_BASH_DONE,
  CLAUDE_WRITE_80,
  CODEX_EDIT,
  CODEX_EDIT_80,
  CODEX_EDIT_DONE,
} from './agent-screens.ts'
import { questionOf, type ScreenLines } from './question.ts'

const keysOf = (screen: ScreenLines) =>
  questionOf(screen).choices.map(({ key, label, kind }) => [key, label, kind])

const screen = (text: string, row = -1, column = 0): ScreenLines => {
  const lines = text.split('\n')
  return { columns: 200, lines, cursor: { row: row < 0 ? lines.length - 1 : row, column } }
}

test('Claude Code asks whether to run a command', () => {
  const { lines, choices } = questionOf(CLAUDE_BASH)
  expect(choices.map(({ send }) => send)).toEqual(['1', '2', '3', '4'])
  expect(keysOf(CLAUDE_BASH)).toEqual([
    ['1', 'Yes', 'yes'],
    ['2', 'Yes, and always allow access to /home/ada/projects/web-shop from this project', 'yes'],
    ['3', 'Yes, and switch to auto mode · auto mode handles these prompts for you', 'yes'],
    ['4', 'No', 'no'],
  ])
  expect(lines.at(-1)).toBe('Do you want to proceed?')
  expect(lines[0]).toBe('Bash command')
  expect(lines).toContain('sleep 3; echo made > made.txt')
  expect(lines.join('\n')).not.toMatch(/[─╌]/)
})

test('Claude Code asks whether to write a file', () => {
  expect(keysOf(CLAUDE_WRITE_80)).toEqual([
    ['1', 'Yes', 'yes'],
    [
      '2',
      'Yes, and switch to accept edits (auto-approve file edits and common file commands) for this session',
      'yes',
    ],
    ['3', 'No', 'no'],
  ])
})

test.each([CODEX_EDIT, CODEX_EDIT_80])('Codex asks whether to change files', (asking) => {
  const { lines } = questionOf(asking)
  expect(keysOf(asking)).toEqual([
    ['1', 'Yes, proceed', 'yes'],
    ['2', "Yes, and don't ask again for these files", 'yes'],
    ['3', 'No, and tell Codex what to do differently', 'no'],
  ])
  expect(lines.join(' ')).toMatch(/Would you like to make the following\s+edits\?/)
})

test.each([CLAUDE_BASH_DONE, CODEX_EDIT_DONE])('an agent that is done offers nothing', (asking) => {
  const { lines, choices } = questionOf(asking)
  expect(choices).toEqual([])
  expect(lines.join('\n')).toContain('All done, captain.')
})

test('Gemini CLI asks in a frame', () => {
  const framed = screen(`
✋  Action Required
╭──────────────────────────────────────────╮
│ ?  Shell echo hi                         │
│                                          │
│ echo hi                                  │
│ Allow execution of: 'echo'?              │
│                                          │
│ ● 1. Allow once                          │
│   2. Allow for this session              │
│   3. No, suggest changes (esc)           │
│                                          │
╰──────────────────────────────────────────╯
`)
  expect(keysOf(framed)).toEqual([
    ['1', 'Allow once', 'yes'],
    ['2', 'Allow for this session', 'yes'],
    ['3', 'No, suggest changes', 'no'],
  ])
  expect(questionOf(framed).lines.at(-1)).toBe("Allow execution of: 'echo'?")
})

test('a list in the prose of an agent is no menu', () => {
  expect(keysOf(screen('● I can do this:\n  1. Remove the folder\n  2. Keep it\n\nWhich one?'))).toEqual([])
})

test('a list that the user has typed is no menu', () => {
  const said = '❯ 1. Build it\n  2. Test it\n\n● Done.\n\n──────\n❯ \n──────\n  ? for shortcuts'
  expect(keysOf(screen(said))).toEqual([])
})

test('the newest menu counts', () => {
  const two = '❯ 1. old\n  2. older\n\nNow?\n❯ 1. Yes\n  2. No\n'
  expect(keysOf(screen(two))).toEqual([
    ['1', 'Yes', 'yes'],
    ['2', 'No', 'no'],
  ])
})

test('a question for y or n: with Enter where the program reads a line', () => {
  const apt = screen('After this operation, 5 MB will be used.\nDo you want to continue? [Y/n] ', 1, 31)
  expect(questionOf(apt).choices.map(({ key, send }) => [key, send])).toEqual([
    ['y', 'y\r'],
    ['n', 'n\r'],
  ])
  const full = screen('Overwrite the file? (y/n)\n\n-- editor --', 2, 3)
  expect(questionOf(full).choices.map(({ send }) => send)).toEqual(['y', 'n'])
})

test('press Enter, and menus without numbers', () => {
  expect(keysOf(screen('Press Enter to continue…'))).toEqual([['Enter', 'Continue', 'yes']])
  const menu = 'Do you trust this folder?\n❯ Yes, I trust it\n  No, leave\n\nEnter to confirm · Esc to exit'
  expect(keysOf(screen(menu)).map(([key]) => key)).toEqual(['↑', '↓', 'Enter'])
})

test('hostile screens cost little, and give nothing but the known keys', () => {
  const long = `❯ 1. ${'x'.repeat(10_000)}`
  const many = Array.from({ length: 400 }, (_, at) => `  ${at + 2}. \u001b[31m${'('.repeat(400)}`)
  const start = performance.now()
  const { choices, lines } = questionOf({ ...screen([...many, long, ...many].join('\n')), columns: 20_000 })
  expect(performance.now() - start).toBeLessThan(500)
  expect(choices).toHaveLength(9)
  expect(choices.every(({ send }) => /^[1-9]$/.test(send))).toBe(true)
  expect(Math.max(...choices.map(({ label }) => label.length))).toBeLessThanOrEqual(160)
  expect(lines.length).toBeLessThanOrEqual(24)
})

test('answers that the terminal has wrapped are whole again, and the cursor is where it was', () => {
  const rows = [
    'Do you want to proceed?',
    '❯ 1. Yes',
    '  2. Yes, and never ask ag',
    'ain',
    '  3. No',
    '',
    'Overwrite /home/ada/a-fi',
    'le? [y/n] ',
  ]
  const menu = { columns: 24, lines: rows.slice(0, 6), cursor: { row: 5, column: 0 } }
  expect(keysOf(menu).map(([, label]) => label)).toEqual(['Yes', 'Yes, and never ask again', 'No'])
  const line = { columns: 24, lines: rows.slice(5), cursor: { row: 2, column: 10 } }
  expect(questionOf(line).choices.map(({ send }) => send)).toEqual(['y\r', 'n\r'])
})
