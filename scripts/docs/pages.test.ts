import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EXIT } from '../../src/core/errors.ts'
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

test('every error code has a section, every section a code, and every code is raised somewhere', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  const sections = [...page.matchAll(/^## (E_\w+)$/gm)].map(([, code]) => code ?? '')
  const codes = Object.keys(EXIT).toSorted()
  expect(sections).toEqual(codes)
  const about = ['src/core/errors.ts', 'src/core/error-docs.ts']
  const used = new Set<string>(['E_INTERNAL']) // it stands for every exception that is no error of coop's own
  for (const file of new Bun.Glob('src/**/*.ts').scanSync(root))
    if (!about.includes(file) && !file.endsWith('.test.ts'))
      for (const [code] of readFileSync(join(root, file), 'utf8').matchAll(/\bE_[A-Z_]+\b/g)) used.add(code)
  used.delete('E_CODE') // as in `coop help E_CODE`
  expect([...used].toSorted()).toEqual(codes)
})
