import { describe, expect, test } from 'bun:test'
import { lastWords } from './words.ts'

describe('the last words of a screen', () => {
  test('are the last rows with text, in one line', () => {
    expect(lastWords(['first', 'Building', '', '  42%  done', 'ready', ''], 200)).toBe(
      'Building 42% done ready',
    )
    expect(lastWords(['', ''], 200)).toBe('')
  })

  test('begin with the last question, and have no frames', () => {
    const rows = ['old?', 'text', '╭────╮', '│ Run rm?   │', '│ ❯ 1. Yes │', '│   2. No  │', '╰────╯']
    expect(lastWords(rows, 200)).toBe('Run rm? ❯ 1. Yes 2. No')
    expect(lastWords(['Overwrite? [y/N]'], 200)).toBe('Overwrite? [y/N]')
  })

  test('are those above the line for the next task', () => {
    const claude = [
      '● All done, captain.',
      '✻ Crunched for 1s',
      '────',
      '❯ ',
      '────',
      '  ⏸ manual mode on · ? for shortcuts',
    ]
    expect(lastWords(claude, 200)).toBe('● All done, captain. ✻ Crunched for 1s')
    const codex = [
      '• All done.',
      '› Ask Codex to do anything',
      '  scripted default · /work',
      '  ← for agents · ? for shortcuts',
    ]
    expect(lastWords(codex, 200)).toBe('• All done.')
    expect(lastWords(['❯'], 200)).toBe('❯')
  })

  test('are cut between characters', () => {
    expect(lastWords(['🐔'.repeat(30)], 10)).toBe('🐔'.repeat(10))
  })
})
