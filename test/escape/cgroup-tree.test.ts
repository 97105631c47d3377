/** A writable cgroup tree (CVE-2023-25809). A box sees no tree at all. */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed } from './support.ts'

const NAMES = ['cgroup.procs', 'release_agent', 'notify_on_release', 'cgroup.controllers']
const FIND = `find / -xdev ${NAMES.map((name) => `-name ${name}`).join(' -o ')} 2>/dev/null
grep -E ' - cgroup2? |/cgroup ' /proc/self/mountinfo; ls -d /sys/fs/cgroup 2>/dev/null; :`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: the host has a tree', () => {
    expect(existsSync('/sys/fs/cgroup')).toBe(true)
  })

  for (const network of ['host', 'none']) {
    test.skipIf(box.missing)(`no cgroup is visible, with network ${network}${box.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      expect(await inBox(t, FIND, ['--network', network])).toBe('')
    })
  }

  test.skipIf(box.missing)(`a project cannot mount the tree${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const source of ['/sys/fs/cgroup', '/sys', '/proc/self/root/sys/fs/cgroup']) {
      t.write('coop.toml', `[sandbox]\nmounts = ["${source}:/mnt/cg"]\n`)
      expect(await t.coop(['run', '--', 'ls', '/mnt/cg'])).toMatchObject({ code: 125, stdout: '' })
    }
  })
})
