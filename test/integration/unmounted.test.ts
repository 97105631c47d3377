/** A file system that the host unmounts is free at once: no process that waits for the next box keeps it in use. */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { needed, output, startBox } from './support.ts'

const can = needed(ordinary)
const root = needsAll({ root: process.getuid?.() === 0 })

/** Processes with a mount at the path, but for those in the mount namespace of the tests. */
function holders(path: string): string[] {
  const read = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/mountinfo`, 'latin1')
    } catch {
      return '' // it has ended
    }
  }
  const ours = read('self')
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    const mounts = read(pid)
    return mounts !== ours && mounts.includes(` ${path} `)
  })
}

test.skipIf(can.missing || root.missing)(
  `nothing keeps a file system in use that the host unmounts${can.note}${root.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    const disk = t.folder('disk')
    // Private, as all mounts are without systemd: nothing else tells a copy of them that this one has ended.
    const done = ['mount -t tmpfs coop-test "$0"', 'mount --make-private "$0"'].every(
      (command) => Bun.spawnSync(['sh', '-c', command, disk]).success,
    )
    expect(done).toBe(true)
    try {
      await startBox(t)
      await waitUntil(() => holders(disk).length > 0, 'the init that waits for the next box')
    } finally {
      Bun.spawnSync(['umount', '--lazy', disk])
    }
    await waitUntil(
      () => holders(disk).length === 0,
      () => `the end of the copies of ${disk}`,
    )
    expect(output(await t.coop(['run', '--', 'echo', 'made']))).toBe('made\n')
  },
)
