import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pages } from './pages.ts'

const root = dirname(dirname(import.meta.dir))

test('every page that is printed from the code is up to date: npm run docs', async () => {
  for (const [path, text] of await pages())
    expect([path, readFileSync(join(root, path), 'utf8')]).toEqual([path, text])
})

test('there is a man page for every command and for nothing else', async () => {
  const printed = [...(await pages()).keys()].filter((path) => path.startsWith('docs/man/'))
  expect(readdirSync(join(root, 'docs/man')).toSorted()).toEqual(
    printed.map((path) => path.slice(9)).toSorted(),
  )
})
