/**
 * An image whose folders are links (CVE-2023-27561, CVE-2024-45310, CVE-2026-41579).
 *
 * Coop makes or mounts files at /dev, /proc, /sys, /etc, /tmp, /run, the home and the workspace. All of these must
 * stay in the new root wherever the image's links lead: the mount is refused, or lands inside.
 */
import { describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, smallImage } from './support.ts'

/** A folder of the host that no box may change, and its state before any change. */
function outside(t: Scratch): { folder: string; list: () => string } {
  const folder = t.folder('outside', 0o777)
  t.write(join(folder, 'resolv.conf'), 'untouched\n', 0o666)
  t.write(join(folder, 'passwd'), 'stranger:x:500:500:::\n', 0o666)
  const list = () =>
    readdirSync(folder)
      .map((name) => `${name}: ${readFileSync(join(folder, name), 'utf8')}`)
      .join('')
  return { folder, list }
}

const up = '../'.repeat(12)
const HOW: Readonly<Record<string, (folder: string) => string>> = {
  absolute: (folder) => folder,
  'relative, out of the image': (folder) => `${up}${folder.slice(1)}`,
  'over /proc/1/root': (folder) => `/proc/1/root${folder}`,
  'over /proc/self/root': (folder) => `/proc/self/root${folder}`,
  'over /proc/self/cwd': (folder) => `/proc/self/cwd/${up}${folder.slice(1)}`,
}
const TARGETS = [
  'dev',
  'proc',
  'sys',
  'etc',
  'tmp',
  'run',
  'home',
  'home/coop',
  'home/coop/.claude',
  'dev/pts',
  'proc/sys',
]

const SCRIPT =
  'cat /etc/passwd; for d in /tmp /run /home/coop /etc /dev/shm /home/coop/.claude . /var/run; do echo x >$d/planted; done 2>/dev/null; :'

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(`positive control: mount(8) follows the link of an image${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { folder } = outside(t)
    t.folder('image')
    symlinkSync(folder, join(t.root, 'image/dev'))
    const script = `mount -t tmpfs none ${t.root}/image/dev && grep -c ' ${folder} ' /proc/self/mountinfo`
    expect((await t.run(['unshare', '-Urm', 'sh', '-c', script])).stdout).toBe('1\n')
  })

  for (const [how, link] of Object.entries(HOW)) {
    test.skipIf(box.missing)(`links that are ${how} change nothing outside the box${box.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      const { folder, list } = outside(t)
      const before = list()
      const image = smallImage(t)
      for (const target of TARGETS) {
        t.folder(dirname(join(image, target)))
        symlinkSync(link(folder), join(image, target))
        const run = await t.coop(['run', '--image', `rootfs:${image}`, '--', 'sh', '-c', SCRIPT])
        expect({ target, after: list(), leaked: run.stdout.includes('stranger') }).toEqual({
          target,
          after: before,
          leaked: false,
        })
        rmSync(join(image, target))
      }
    })
  }

  test.skipIf(box.missing)(
    `a workspace path behind a link of the image changes nothing outside${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { folder, list } = outside(t)
      const before = list()
      const image = smallImage(t)
      const parts = t.workspace.split('/').slice(1)
      // Each folder on the way to the workspace is a link to the outside, one image after the other.
      for (const [depth] of parts.entries()) {
        const at = join(image, ...parts.slice(0, depth + 1))
        mkdirSync(dirname(at), { recursive: true })
        Bun.spawnSync(['rm', '-rf', at])
        symlinkSync(`${up}${folder.slice(1)}`, at)
        await t.coop(['run', '--image', `rootfs:${image}`, '--', 'sh', '-c', SCRIPT])
        expect(list()).toBe(before)
        Bun.spawnSync(['rm', '-rf', at, join(t.workspace, 'planted')])
      }
    },
  )

  test.skipIf(box.missing)(
    `etc/resolv.conf, hosts and hostname as links to the host are not read or written${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { folder, list } = outside(t)
      const before = list()
      const image = smallImage(t)
      t.folder('image/etc')
      for (const name of ['resolv.conf', 'hosts', 'hostname', 'passwd', 'group', 'mtab', 'localtime'])
        symlinkSync(`${folder}/resolv.conf`, join(image, 'etc', name))
      const script = 'cat /etc/passwd /etc/hosts; echo x >/etc/resolv.conf'
      const run = await t.coop(['run', '--image', `rootfs:${image}`, '--', 'sh', '-c', script])
      expect(run.stdout).toContain(':0:0:')
      expect(run.stdout).not.toContain('untouched')
      expect(list()).toBe(before)
    },
  )
})
