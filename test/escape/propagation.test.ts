/**
 * Mount propagation. A mount made inside must not appear outside, and a mount made outside must not appear
 * inside behind coop's back.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed } from './support.ts'

/** Root of a namespace that has the workspace as a shared mount, as on hosts with systemd. */
const shared = (t: Scratch, script: string) =>
  t.run([
    'unshare',
    '-Urm',
    '--propagation',
    'private',
    'sh',
    '-c',
    `mount --bind . . && cd . && mount --make-shared . && mkdir -p at && ${script}`,
  ])

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: mounts of a namespace that is not private appear outside${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const script =
        'cd "$PWD" && unshare -m --propagation unchanged sh -c "mount -t tmpfs none at"; grep -c /at /proc/self/mountinfo'
      expect((await shared(t, script)).stdout).toBe('1\n')
    },
  )

  test.skipIf(box.missing)(`no mount of a box is shared with the host or follows it${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const lines = (await inBox(t, 'cat /proc/self/mountinfo')).trim().split('\n')
    expect(lines.length).toBeGreaterThan(10)
    expect(lines.filter((line) => /\b(shared|master|propagate_from):/.test(line))).toEqual([])
  })

  test.skipIf(box.missing)(`mounts of a box do not appear outside${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const mounted = 'mount -t tmpfs none at && touch at/inside && echo mounted'
    const tries = [mounted, `unshare -Urm sh -c '${mounted}'`, 'mount --make-rshared /', 'mount --bind / at']
    for (const nested of [false, true]) {
      t.settings(`[sandbox]\nnested = ${nested}\n`)
      t.folder('home/project/at')
      const said = await inBox(t, `(${tries.join('; ')}) 2>/dev/null; :`)
      // With nested namespaces the box may mount file systems for itself.
      if (!nested) expect(said).toBe('')
      expect(existsSync(join(t.workspace, 'at/inside'))).toBe(false)
      expect((await t.run(['grep', '-c', t.workspace, '/proc/self/mountinfo'])).stdout).toBe('0\n')
    }
  })
})
