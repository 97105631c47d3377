/**
 * Disguised targets. Mounts of a project must not cover the kernel's files of the box, where they would
 * replace coop's masks and read-only mounts. The disguises are other spellings, and links in an image or in the
 * box's own files.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, said, smallImage } from './support.ts'

const SPELLINGS = [
  '//proc',
  '/proc/',
  '/./proc/sys',
  '/proc//sys',
  '/sys/.',
  '//sys//kernel',
  '/./dev',
  '/dev/./shm',
  '/',
  '//',
  '/.',
]

/** An image with links that a mount could follow. */
function linkedImage(t: Scratch): string {
  const image = smallImage(t)
  const links = { 'to-proc': '/proc', 'to-sys': 'sys', 'to-dev': '/dev', 'to-root': '/', real: 'srv/real' }
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(image, name))
  for (const folder of ['srv/real', 'proc', 'sys', 'dev']) t.folder(`image/${folder}`)
  return image
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)
  const configure = (t: Scratch, mounts: readonly string[], more = ''): void => {
    // The user's own settings need no acceptance.
    t.write(join(t.configDir, 'default.toml'), `[sandbox]\nmounts = ${JSON.stringify(mounts)}\n${more}`)
    t.write('data/sys/kernel/core_pattern', 'mounted\n')
    t.write('data/kernel/core_pattern', 'mounted\n')
  }

  test.skipIf(box.missing)(
    `positive control: a target below a link of an image follows the link${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const image = linkedImage(t)
      configure(t, ['./data:/real/here', 'v://srv/./volume/'])
      const shown = await inBox(t, 'cat /srv/real/here/kernel/core_pattern; stat -c %F /srv/volume', [
        '--image',
        `rootfs:${image}`,
      ])
      expect(shown).toBe('mounted\ndirectory\n')
    },
  )

  test.skipIf(box.missing)(`no spelling of a kernel path is accepted as a target${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const accepted: string[] = []
    const attempt = async (name: string): Promise<void> => {
      const { code, stdout } = await t.coop(['run', '--', 'sh', '-c', 'echo ran'])
      if (code === 0 || stdout) accepted.push(name)
    }
    for (const target of SPELLINGS) {
      for (const source of ['./data', 'volume']) {
        configure(t, [`${source}:${target}`])
        await attempt(`${source}:${target}`)
      }
      configure(t, [], `[workspace]\npath = "${target}"\n`)
      await attempt(`path ${target}`)
    }
    for (const folder of ['.', './', './/.']) {
      configure(t, [], `[session]\npersist = ["${folder}"]\n`)
      await attempt(`persist ${folder}`)
    }
    expect(accepted).toEqual([])
  })

  test.skipIf(box.missing)(`a link of an image leads no mount to kernel paths${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = linkedImage(t)
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
    const settings = [
      ...[
        '/to-proc/sys',
        '/to-sys/devices',
        '/to-dev/shm',
        '/to-root/proc',
        '/to-root/proc/sys',
        '/to-root/dev',
      ].flatMap((target): [string[], string][] => [
        [[`./data:${target}`], ''],
        [[`volume:${target}`], ''],
        [[], `[workspace]\npath = "${target}"\n`],
      ]),
    ]
    const accepted: string[] = []
    for (const [mounts, more] of settings) {
      configure(t, mounts, more)
      const run = await t.coop([
        'run',
        '--image',
        `rootfs:${image}`,
        '--',
        'cat',
        '/proc/sys/kernel/core_pattern',
      ])
      if (run.code !== 125 || !/mount target/.test(run.stderr) || !/^hint: .*link/m.test(run.stderr))
        accepted.push(`${mounts}${more}: ${run.code} ${run.stdout}${run.stderr}`)
    }
    expect(accepted).toEqual([])
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before)
  })

  test.skipIf(box.missing)(
    `a link in the box's own files leads no mount to kernel paths${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const start = await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity'])
      expect(start.code).toBe(0)
      said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', 'ln -s /proc /srv/p; ln -s /proc ~/p']))
      said(await t.coop(['stop', '-f', 'box']))
      for (const target of ['/srv/p/sys', '~/p/sys']) {
        configure(t, [`volume:${target}`])
        const again = await t.coop(['start', 'box'])
        expect({ target, code: again.code, said: again.stderr }).toMatchObject({
          target,
          code: 1,
          said: expect.stringContaining('mount target'),
        })
      }
      configure(t, [], '[session]\npersist = ["p/sys"]\n')
      expect((await t.coop(['start', 'box'])).stderr).toContain('mount target')
      configure(t, ['./data:/srv/there'])
      said(await t.coop(['start', 'box']))
    },
  )
})
