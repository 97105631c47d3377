/**
 * /dev/console, /dev/pts and /dev/ptmx (CVE-2025-52565).
 *
 * Coop opens terminals in the box while the box runs: the box's own files at these names must not matter.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, onTerminal, said, smallImage, startBox, unprotected } from './support.ts'

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)
  const util = needed(invoker, 'script')

  test.skipIf(util.missing)(
    `positive control: without an instance of its own the terminals of the host show${util.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const script =
        "script -qec 'sleep infinity' /dev/null </dev/null >/dev/null & until ls /dev/pts | grep -q '[0-9]'; do :; done; ls /dev/pts; kill $!"
      expect(await unprotected(t, script)).toMatch(/^\d+$/m)
      expect((await t.run(['stat', '-c', '%d', '/dev/pts'])).stdout).toBe(
        await unprotected(t, 'stat -c %d /dev/pts'),
      )
    },
  )

  test.skipIf(box.missing)(`the box has terminals of its own and no console${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const outside = (await t.run(['stat', '-c', '%d', '/dev/pts'])).stdout
    const script =
      'stat -c %d /dev/pts; ls /dev/pts; ls /dev/console /dev/tty0 /dev/tty1 /dev/vcs /dev/ttyS0 2>/dev/null; :'
    const [device, ...rest] = (await inBox(t, script)).trim().split('\n')
    expect(`${device}\n`).not.toBe(outside)
    expect(rest).toEqual(['ptmx'])
  })

  test.skipIf(box.missing)(`links in the image's /dev are not followed${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = smallImage(t)
    const victim = t.write(join(t.root, 'victim'), 'untouched\n', 0o666)
    t.folder('image/dev')
    for (const name of ['console', 'ptmx', 'tty', 'pts']) symlinkSync(victim, join(image, 'dev', name))
    const script = 'readlink /proc/self/fd/0; echo x >/dev/console; ls /dev'
    const shown = await onTerminal(t, ['run', '-t', '--image', `rootfs:${image}`, '--', 'sh', '-c', script])
    expect(shown).toMatch(/^\/dev\/pts\/0\n/)
    expect(readFileSync(victim, 'utf8')).toBe('untouched\n')
  })

  test.skipIf(box.missing)(
    `changes of the box in /dev do not change the terminals that coop opens${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const inside = ['exec', '-n', 'box']
      const tricks = [
        'ln -sf /etc/passwd /dev/ptmx',
        'rm -f /dev/pts/ptmx',
        'mv /dev/pts /dev/old',
        'rmdir /dev/pts',
        'mv /dev/null /dev/old',
        'mount --bind /tmp /dev/pts',
        'ln -sf /etc/passwd /dev/console',
      ]
      const script = `for c in ${tricks.map((c) => `'${c}'`).join(' ')}; do $c 2>/dev/null && echo "$c"; done; :`
      expect(said(await t.coop([...inside, '--', 'sh', '-c', script]))).toBe(`${tricks[0]}\n${tricks[6]}\n`)
      expect(await onTerminal(t, [...inside, '-t', '--', 'tty'])).toMatch(/^\/dev\/pts\/\d\n$/)
      expect(said(await t.coop([...inside, '--', 'readlink', '/proc/self/fd/1']))).toMatch(/^pipe:/)
    },
  )
})
