/** `npm run docs`: writes the pages that are printed from the code. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pages } from './pages.ts'

const root = dirname(dirname(import.meta.dir))
const all = await pages()
mkdirSync(join(root, 'docs/man'), { recursive: true })
for (const [path, text] of all) writeFileSync(join(root, path), text)
// Removes the pages of commands that no longer exist.
for (const name of readdirSync(join(root, 'docs/man')))
  if (!all.has(`docs/man/${name}`)) rmSync(join(root, 'docs/man', name))
console.log(`Wrote ${all.size} pages.`)
