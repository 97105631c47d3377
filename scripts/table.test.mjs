import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bun.mjs'
import { commandFiles, tableText } from './table.mjs'

test('the table has the commands that have a file: npm run docs', () => {
  expect(readFileSync(join(root, 'src/cli/table.ts'), 'utf8')).toBe(tableText(commandFiles()))
})

test('a command is a file of its name, or a folder with an index; tests and sub-commands are none', () => {
  const files = [
    'run.ts',
    'image',
    'image/index.ts',
    'image/rm.ts',
    'old/rm.ts',
    'run.test.ts',
    'do-it.ts',
    '.run.ts.swp',
  ]
  const text = tableText([...files, 'ls.ts'])
  const names = [...text.matchAll(/^ {2}(.+): \(\) => import\('(.+)'\),$/gm)].map((found) => found.slice(1))
  expect(names).toEqual([
    ["'do-it'", './commands/do-it.ts'],
    ['image', './commands/image/index.ts'],
    ['ls', './commands/ls.ts'],
    ['run', './commands/run.ts'],
  ])
})
