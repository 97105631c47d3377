import { expect, test } from 'bun:test'
import { keysOf, typedBetween, without } from './typed-ahead.ts'

test('keys of a shell are put back, answers and reports of the terminal are not', () => {
  expect(keysOf('ls -l\r')).toBe('ls -l\r')
  expect(keysOf('\x1b[A\x1bOB\x1b[3~\x1bb\x03')).toBe('\x1b[A\x1bOB\x1b[3~\x1bb\x03')
  expect(keysOf('\x1b[200~two words\x1b[201~')).toBe('\x1b[200~two words\x1b[201~')
  for (const report of [
    '\x1b[?62;22c',
    '\x1b[12;40R',
    '\x1b[I',
    '\x1b[<0;10;10M',
    '\x1b[97;1:3u',
    '\x1b]11;rgb:00/00/00\x07',
    '\x1b]11;rgb:00/00/00\x1b\\',
    '\x1bP>|xterm(1)\nrm -rf x\n\x1b\\',
    '\x1b_Gi=1;OK\x1b\\',
    '\x1b]11;never ended\n',
  ])
    expect(keysOf(`a${report}`)).toBe('a')
})

test('an answer is taken out of what was typed, also one that began earlier', () => {
  expect(without('l\x1b[?62cs', '\x1b[?62c')).toBe('ls')
  expect(without('2cls', '\x1b[?62c')).toBe('ls')
  expect(without('ls', '\x1b[?62c')).toBe('ls')
})

test('what was typed while keys were put back comes behind them', () => {
  for (const [ours, mixed, theirs] of [
    ['at', '-at', '-'],
    ['at', 'a-t', '-'],
    ['at', 'at', ''],
    ['ab', 'aab', 'a'],
    ['ab', 'baab', 'ba'],
  ] as const)
    expect(typedBetween(ours, mixed)).toBe(theirs)
})
