/**
 * Writes to procfs attributes that end up elsewhere (CVE-2025-52881).
 *
 * runc wrote labels and limits to `/proc/self/...` inside the container, where a racing container could have put
 * another file. Coop writes only `uid_map`, `gid_map` and `setgroups`, on the host's own /proc and before
 * any program of the box runs; afterwards it uses no name below the box's /proc. So no write can be redirected,
 * and no control is possible. The test shows that files in their place stay unchanged.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, smallImage } from './support.ts'

const ATTRIBUTES = ['uid_map', 'gid_map', 'setgroups', 'oom_score_adj', 'attr/exec', 'attr/current', 'comm']

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `coop neither reads nor writes files that an image has in /proc${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const image = smallImage(t)
      for (const process of ['self', 'thread-self', '1', '2'])
        for (const name of ATTRIBUTES) t.write(join(image, 'proc', process, name), 'planted\n', 0o666)
      const script = 'cat /proc/self/uid_map; stat -f -c %T /proc 2>/dev/null; cat /proc/1/comm'
      expect(await inBox(t, script, ['--image', `rootfs:${image}`])).not.toContain('planted')
      for (const process of ['self', 'thread-self', '1', '2'])
        for (const name of ATTRIBUTES)
          expect(readFileSync(join(image, 'proc', process, name), 'utf8')).toBe('planted\n')
    },
  )

  test.skipIf(box.missing)(`links that an image has in /proc lead coop nowhere${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = smallImage(t)
    const victim = t.write(join(t.root, 'victim'), 'untouched\n', 0o666)
    t.folder(join(image, 'proc/self/attr'))
    for (const name of ATTRIBUTES) symlinkSync(victim, join(image, 'proc/self', name))
    for (const name of ['sys', 'keys', 'kcore', 'irq', 'bus', 'acpi'])
      symlinkSync(victim, join(image, 'proc', name))
    const script = 'echo box >/proc/self/comm; cat /proc/self/comm; stat -c %F /proc/sys'
    expect(await inBox(t, script, ['--image', `rootfs:${image}`])).toMatch(/^(box|sh|cat)\ndirectory\n$/)
    expect(readFileSync(victim, 'utf8')).toBe('untouched\n')
  })
})
