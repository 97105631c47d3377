/**
 * A writable cgroup tree (CVE-2023-25809). A box sees its own cgroup, read-only, and otherwise no tree at all. Here boxes
 * have the cgroup that this machine lets the invoker make; delegated-cgroups.test.ts attacks one that is the user's.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { ownCgroup } from '../../src/container/cgroup.ts'
import { asInvoker } from '../harness/process.ts'
import { scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { everyone, inBox, needed } from './support.ts'

const NAMES = ['cgroup.procs', 'release_agent', 'notify_on_release', 'cgroup.controllers']
const FIND = `find / -xdev ${NAMES.map((name) => `-name ${name}`).join(' -o ')} 2>/dev/null
grep -E ' - cgroup2? |/cgroup ' /proc/self/mountinfo | cut -d ' ' -f 4-; ls -d /sys/fs 2>/dev/null; :`

/** Whether a daemon of the invoker can make cgroups here. */
function canMake(invoker: Invoker): boolean {
  const read = (name: string): string => readFileSync(`/proc/self/${name}`, 'utf8')
  const folder = ownCgroup(read('cgroup'), read('mountinfo'))
  if (folder === undefined) return false
  return Bun.spawnSync(asInvoker(invoker, ['test', '-w', `${folder}/cgroup.procs`])).exitCode === 0
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: the host has a tree', () => {
    expect(existsSync('/sys/fs/cgroup')).toBe(true)
  })

  for (const network of ['host', 'none']) {
    test.skipIf(box.missing)(
      `no cgroup but that of the box is visible, and none can be written, with network ${network}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const seen = await inBox(t, FIND, ['--network', network])
        if (!canMake(invoker)) return expect(seen).toBe('')
        expect(seen).toMatch(
          /^\/ \/sys\/fs\/cgroup ro,nosuid,nodev,noexec,relatime (?:\S+:\d+ )*- cgroup2 \S+ \S+\n\/sys\/fs\n$/,
        )
      },
    )
  }

  test.skipIf(box.missing)(`a project cannot mount the tree${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const source of ['/sys/fs/cgroup', '/sys', '/proc/self/root/sys/fs/cgroup']) {
      t.write('coop.toml', `[sandbox]\nmounts = ["${source}:/mnt/cg"]\n`)
      expect(await t.coop(['run', '--', 'ls', '/mnt/cg'])).toMatchObject({ code: 125, stdout: '' })
    }
  })
})
