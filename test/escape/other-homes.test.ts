/**
 * Files of other users of the machine. Root can read all of them, and a box of root's could, through the
 * shifted ids of its mounts. But a project belongs to somebody, and root must not read for that person. Secrets are
 * refused in every home, for every invoker.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, smallImage } from './support.ts'

const OTHER = 4321 // an unused id here, in no range

/** A folder of another user: closed to all but its owner, and beside it an open one with a closed part. */
function makeForeign(t: Scratch): { readonly closed: string; readonly open: string } {
  const make = (path: string, mode: number, text?: string): string => {
    const at = join(t.root, path)
    if (text === undefined) mkdirSync(at)
    else writeFileSync(at, text)
    chmodSync(at, mode)
    chownSync(at, OTHER, OTHER)
    return at
  }
  const closed = make('closed', 0o700)
  make('closed/below', 0o755)
  make('closed/below/file', 0o644, 'SECRET\n')
  make('closed/file', 0o644, 'SECRET\n')
  const open = make('open', 0o755)
  make('open/file', 0o644, 'public\n')
  make('open/hidden', 0o600, 'SECRET\n')
  make('open/inner', 0o700)
  make('open/inner/file', 0o644, 'SECRET\n')
  return { closed, open }
}

const mounts = (source: string): string => `[sandbox]\nmounts = ["${source}:/mnt/x:ro"]\n`

// Only root can make folders of other users, so an ordinary user's run has no tests.
describe.each(everyone.filter(({ uid }) => uid === 0))('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(`positive control: root's own settings may name them${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { closed } = makeForeign(t)
    t.write(join(t.configDir, 'default.toml'), mounts(closed))
    const run = await t.coop(['run', '--', 'cat', '/mnt/x/file'])
    expect(run).toMatchObject({ code: 0, stdout: 'SECRET\n' })
  })

  test.skipIf(box.missing)(
    `a project's mount of a folder that is closed to others is refused${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { closed, open } = makeForeign(t)
      const read: string[] = []
      for (const at of [closed, `${closed}/file`, `${closed}/below`, `${open}/hidden`, `${open}/inner`]) {
        t.write('coop.toml', mounts(at))
        const run = await t.coop(['run', '--', 'sh', '-c', 'cat /mnt/x /mnt/x/file'])
        if (run.code !== 125 || !run.stderr.includes('not every user of this machine may read')) read.push(at)
      }
      expect(read).toEqual([])
    },
  )

  test.skipIf(box.missing)(
    `of a folder that is open to all, a project sees only files that all may read${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { open } = makeForeign(t)
      t.write('coop.toml', mounts(open))
      const script = 'cat /mnt/x/file; cat /mnt/x/hidden /mnt/x/inner/file 2>/dev/null; :'
      expect((await t.coop(['run', '--trust', '--', 'sh', '-c', script])).stdout).toBe('public\n')
    },
  )

  test.skipIf(box.missing)(`a project cannot use an image that is closed to others${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = smallImage(t)
    writeFileSync(join(image, 'secret'), 'SECRET\n')
    t.write('coop.toml', `[sandbox]\nimage = "rootfs:${image}"\n`)
    expect((await t.coop(['run', '--trust', '--', 'cat', '/secret'])).stdout).toBe('SECRET\n')
    chmodSync(image, 0o700)
    chownSync(image, OTHER, OTHER)
    const run = await t.coop(['run', '--', 'cat', '/secret'])
    expect(run).toMatchObject({ stdout: '', code: 125 })
    expect(run.stderr).toContain('not every user of this machine may read')
  })
})

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `homes of others and their secrets are not mounted, for any invoker${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const homes = everyone.map(({ home }) => home).filter((home) => home !== invoker.home)
      const sources = homes.flatMap((home) => [home, `${home}/.ssh`])
      const mounted: string[] = []
      for (const source of ['/home', ...sources]) {
        for (const file of ['coop.toml', join(t.configDir, 'default.toml')]) {
          t.write(file, mounts(source))
          const run = await t.coop(['run', '--', 'ls', '-a', '/mnt/x'])
          if (run.code !== 125 || !/not mounted into boxes|does not exist/.test(run.stderr))
            mounted.push(`${source}: ${run.stdout}${run.stderr}`)
          t.write(file, '')
        }
        const workspace = await t.coop(['run', '-w', source, '--', 'ls', '-a'])
        if (workspace.code !== 125) mounted.push(`workspace ${source}`)
      }
      expect(mounted).toEqual([])
    },
  )
})
