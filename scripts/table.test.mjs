import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bun.mjs'
import { tableText } from './table.mjs'

test('the table has the commands that have a file: npm run docs', () => {
  const files = readdirSync(join(root, 'src/cli/commands'))
  expect(readFileSync(join(root, 'src/cli/table.ts'), 'utf8')).toBe(tableText(files))
})

test('a command is a file of its name; tests and folders are none', () => {
  const text = tableText(['run.ts', 'image', 'run.test.ts', 'do-it.ts', '.run.ts.swp', 'ls.ts'])
  const names = [...text.matchAll(/^ {2}(.+): \(\) => import\('(.+)'\),$/gm)].map((found) => found.slice(1))
  expect(names).toEqual([
    ["'do-it'", './commands/do-it.ts'],
    ['ls', './commands/ls.ts'],
    ['run', './commands/run.ts'],
  ])
})
