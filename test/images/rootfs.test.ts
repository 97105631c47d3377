/** `rootfs:` folders of another owner: coop refuses them at once and names a way that works. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { everyone, expectRefusal, output } from '../integration/support.ts'
import { smallRoot } from './roots.ts'
import { run } from './support.ts'

const can = needsAll({ root: process.getuid?.() === 0 })
let folder: string
let root: string

beforeAll(() => {
  if (can.missing) return
  folder = mkdtempSync('/var/tmp/coop-owners-')
  root = join(folder, 'root')
  mkdirSync(root)
  for (const name of ['tmp', 'var/tmp']) mkdirSync(join(root, name), { recursive: true }) // the workspaces of tests are there
  run(['tar', '-C', root, '-xf', smallRoot(folder)])
  run(['chmod', '-R', 'a+rX', folder])
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

describe.each(everyone)('as $name', (invoker) => {
  const possible = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = can.missing || possible.missing
  const note = `${can.note}${possible.note}`
  const script = 'touch /bin/new /tmp/new && echo made'

  test.skipIf(skip)(
    `files of the host's root are root's in boxes of root, and nobody's in others${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const inRoot = (at: string) => t.coop(['run', '--image', `rootfs:${at}`, '--', 'sh', '-c', script])
      if (invoker.uid === 0) {
        expect(await inRoot(root)).toMatchObject({ code: 0, stdout: 'made\n', stderr: '' })
        return
      }
      expectRefusal(await inRoot(root), {
        code: 125,
        sentence: /the box may not write in the folder above/,
        hint: /make a copy/,
      })
      t.write('coop.toml', '[workspace]\npath = "/work"\n')
      const { stderr } = await inRoot(root)
      expect(stderr).toMatch(/belong to users that the box does not have/)
      const [, command = ''] = /make a copy that is yours: (.*)/.exec(stderr) ?? []
      // Everybody may read this one.
      output(
        await t.run(['sh', '-ec', command.replace('sudo', '').replaceAll('COPY', 'copy')], { cwd: t.home }),
      )
      rmSync(join(t.workspace, 'coop.toml'))
      const mine = await inRoot(join(t.home, 'copy'))
      expect(mine).toMatchObject({ code: 0, stdout: 'made\n' })
      expect(mine.stderr).not.toContain('belong to')
    },
  )
})
