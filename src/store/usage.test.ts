import { expect, test } from 'bun:test'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { boxDir, manifestFile } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import { boxManifest } from './box-manifest.ts'
import { boxUses } from './usage.ts'

const RUNNING = `${import.meta.dir}/../../test/fixtures/state/0.1.0/box-manifest/running.json`
const VOLUME = '/home/user/.local/share/coop/volumes/a228fe479acee77b-claude'

test('a box uses what its manifest names, and one that cannot be read may use everything', async () => {
  using paths = testPaths()
  mkdirSync(boxDir(paths, 'project'), { recursive: true })
  const users = (part: string) =>
    boxUses(paths)
      .filter(({ uses }) => uses(part))
      .map(({ name }) => name)
  const text = await Bun.file(RUNNING).text()
  writeFileSync(manifestFile(paths, 'project'), text)
  expect(users(JSON.stringify(VOLUME))).toEqual(['project'])
  expect(users('/elsewhere')).toEqual([])
  for (const strange of ['', '{"vers', JSON.stringify({ version: boxManifest.version + 1 })]) {
    writeFileSync(manifestFile(paths, 'project'), strange)
    expect([strange, users('/elsewhere')]).toEqual([strange, ['project']])
  }
  rmSync(manifestFile(paths, 'project')) // not made yet, or just removed
  expect(users('/elsewhere')).toEqual([])
})
