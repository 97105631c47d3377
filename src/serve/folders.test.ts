import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listFolders } from './folders.ts'

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'coop-folders-'))
  for (const name of ['b10', 'b9', '.hidden', 'repository/.git'])
    mkdirSync(join(home, name), { recursive: true })
  writeFileSync(join(home, 'file'), '')
  symlinkSync('b9', join(home, 'link'))
  symlinkSync('circle', join(home, 'circle'))
})
afterAll(() => rmSync(home, { recursive: true }))

const list = (path: string, isWritten = false) =>
  listFolders(
    path,
    home,
    (folder) => (folder.endsWith('/b9') ? 'nine' : undefined),
    () => isWritten,
  )

test('folders come in order, hidden ones last, with their boxes and repositories', async () => {
  expect(await list('~')).toMatchObject({
    path: home,
    home,
    entries: [
      { name: 'b9', repository: false, box: 'nine' },
      { name: 'b10', repository: false },
      { name: 'link', repository: false },
      { name: 'repository', repository: true },
      { name: '.hidden', repository: false },
    ],
  })
})

test('where boxes write links are left out', async () => {
  const { entries } = await list(home, true)
  expect(entries.map(({ name }) => name)).not.toContain('link')
})

test.each([
  ['nowhere', 'it does not exist'],
  ['file', 'it is no folder'],
  ['circle', 'its links lead in a circle'],
])('%s says in words why it cannot be listed', (name, reason) => {
  expect(list(join(home, name))).rejects.toThrow(`${join(home, name)} cannot be listed (${reason})`)
})

test('a relative path is refused', () => {
  expect(list('b9')).rejects.toThrow('it is not an absolute path')
})
