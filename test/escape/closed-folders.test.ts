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

  // The folders of the host that coop adds are made in the same way for every unprivileged user, and it takes a while.
  const grows = invoker !== everyone.at(-1) || everyone.length < 3

  test.skipIf(missing)(
    `stay closed to the box, which may have its own there, also when coop has added all folders${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      rmSync(join(t.dataDir, 'images'), { recursive: true, force: true }) // else a skeleton from before these folders
      const expectClosed = (text: string): void => {
        const [open, secret, closed, shadow] = text.split('\n')
        expect([open, secret, closed]).toEqual([SECRET, '', '']) // the first is the positive control
        expect(shadow).not.toMatch(/:[$!]/)
      }
      expectClosed(await inBox(t, look))
      expect(await inBox(t, `cd ${FOLDER}/open && rm private && echo mine >private && cat private`)).toBe(
        'mine\n',
      )
      if (!grows) return
      await startBox(t)
      // What a package manager's first step does; it returns when the folders are there.
      const wait = '/usr/lib/coop/wait-for-folders'
      await t.coop(['exec', 'sh', '-c', `test ! -x ${wait} || ${wait}`])
      expectClosed(await inBox(t, look))
      await t.coop(['kill', '-f'])
    },
  )
})
