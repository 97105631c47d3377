/** Folders and files of the host's /etc that others may not open, where the box has folders of the same names. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, startBox } from './support.ts'

const root = needsAll({ root: process.getuid?.() === 0 })
const FOLDER = `/etc/coop-test-${process.pid}`
const SECRET = 'only-for-the-hosts-root'

beforeAll(() => {
  if (root.missing) return
  for (const [name, mode] of [
    ['open', 0o755],
    ['closed', 0o750],
  ] as const) {
    mkdirSync(`${FOLDER}/${name}`, { recursive: true })
    writeFileSync(`${FOLDER}/${name}/file`, SECRET, { mode: 0o644 })
    chmodSync(`${FOLDER}/${name}`, mode)
  }
  writeFileSync(`${FOLDER}/open/private`, SECRET, { mode: 0o640 })
})
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)
  const missing = root.missing || box.missing
  const note = `${root.note}${box.note}`
  const files = ['open/file', 'open/private', 'closed/file'].map((name) => `${FOLDER}/${name}`).join(' ')
  const look = `for f in ${files} /etc/shadow; do head -c 400 $f 2>/dev/null; echo; done`

  test.skipIf(missing)(`stay closed to the box, which may have its own there${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    rmSync(join(t.dataDir, 'images'), { recursive: true, force: true }) // else a skeleton from before these folders
    const [open, secret, closed, shadow] = (await inBox(t, look)).split('\n')
    expect([open, secret, closed]).toEqual([SECRET, '', '']) // the first is the positive control
    expect(shadow).not.toMatch(/:[$!]/)
    expect(await inBox(t, `cd ${FOLDER}/open && rm private && echo mine >private && cat private`)).toBe(
      'mine\n',
    )
  })

  test.skipIf(missing)(`stay closed when coop has added all folders of the host${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    rmSync(join(t.dataDir, 'images'), { recursive: true, force: true }) // else a skeleton from before these folders
    await startBox(t)
    // What a package manager's first step does; it returns when the folders are there.
    await t.coop([
      'exec',
      'sh',
      '-c',
      'test ! -x /usr/lib/coop/wait-for-folders || /usr/lib/coop/wait-for-folders',
    ])
    const [open, secret, closed, shadow] = (await inBox(t, look)).split('\n')
    expect([open, secret, closed]).toEqual([SECRET, '', ''])
    expect(shadow).not.toMatch(/:[$!]/)
    await t.coop(['kill', '-f'])
  })
})
