/**
 * The release_agent of a cgroup (CVE-2022-0492): a program that the kernel starts on the host.
 *
 * Only root of the first user namespace may set it since Linux 5.17, so the control shows the step before:
 * a cgroup file system that can be mounted at all.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, unprotected } from './support.ts'

const controllers = readFileSync('/proc/cgroups', 'utf8')
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t')[0] ?? '')
  .filter(Boolean)
const MOUNTS = `mkdir -p cg; mount -t cgroup2 none cg && echo cgroup2 && umount cg
for c in ${controllers.join(' ')} none,name=systemd none,name=coop; do mount -t cgroup -o $c none cg && echo $c && umount cg; done; :`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: root of a cgroup namespace mounts them${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      expect(await unprotected(t, `unshare -C sh -c '${MOUNTS}' 2>/dev/null`)).toContain('cgroup2')
    },
  )

  test.skipIf(box.missing)(`no cgroup file system can be mounted${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await inBox(t, `(${MOUNTS}) 2>/dev/null`)).toBe('')
    expect(await inBox(t, `unshare -UrmC sh -c '${MOUNTS}' 2>/dev/null; :`)).toBe('')
  })

  test.skipIf(box.missing)(`a box is at the root of its own cgroup namespace${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const lines = (await inBox(t, 'cat /proc/self/cgroup')).trim().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toEndWith(':/')
  })
})
