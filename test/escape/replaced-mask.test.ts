/**
 * Masks replaced by other files (CVE-2025-31133).
 *
 * runc masked kernel files with the image's own /dev/null. If that was a link, runc mounted the link's
 * target instead, and the kernel file could be written through it.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, smallImage, unprotected } from './support.ts'

const MASKED = 'kcore keys key-users timer_list sched_debug sysrq-trigger kmsg kallsyms kpagecount kpageflags'
const KINDS = `for f in ${MASKED}; do [ -e /proc/$f ] && echo "$f $(stat -c '%F %t:%T' /proc/$f)"; done; :`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: without masks, these are files of the kernel${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      expect(await unprotected(t, KINDS)).toMatch(/^keys regular/m)
    },
  )

  test.skipIf(box.missing)(`every mask is the null device, and stays empty${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const kinds = (await inBox(t, KINDS)).trim().split('\n')
    expect(kinds.length).toBeGreaterThan(0)
    for (const line of kinds) expect(line).toEndWith(' character special file 1:3')
    expect(await inBox(t, `cd /proc; for f in ${MASKED}; do [ ! -e $f ] || cat $f; done; :`)).toBe('')
  })

  test.skipIf(box.missing)(`an image does not change the masks${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = smallImage(t)
    const victim = t.write(join(t.root, 'victim'), 'untouched\n', 0o666)
    t.folder('image/dev')
    for (const name of ['null', 'zero', 'tty', 'pts', 'shm', 'ptmx', 'full'])
      symlinkSync(name === 'null' ? '/proc/sys/kernel/core_pattern' : victim, join(image, 'dev', name))
    const script = `${KINDS} stat -c '%F %t:%T' /dev/null; echo overwritten >/dev/null; cat /proc/keys`
    const lines = (await inBox(t, script, ['--image', `rootfs:${image}`])).trim().split('\n')
    for (const line of lines) expect(line).toEndWith('character special file 1:3')
    expect(readFileSync(victim, 'utf8')).toBe('untouched\n')
  })

  test.skipIf(box.missing)(`a mask cannot be taken away or replaced${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const tries = [
      'rm -f',
      'umount',
      'umount -l',
      'mv -t /tmp',
      'ln -sf /etc/passwd',
      'chmod 777',
      'mount --bind /etc/passwd',
    ]
    const script = tries.map((command) => `${command} /proc/keys 2>/dev/null && echo '${command}'`).join('; ')
    expect(await inBox(t, `${script}; :`)).toBe('')
  })
})
