import { afterEach, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Cgroups, ownCgroup } from './cgroup.ts'

const MOUNTED = '30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate'
const HYBRID = `29 20 0:25 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
30 20 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`

test('the own cgroup is found below the mount of the tree', () => {
  expect(ownCgroup('0::/user.slice/a.scope\n', MOUNTED)).toBe('/sys/fs/cgroup/user.slice/a.scope')
  expect(ownCgroup('8:pids:/x\n0::/\n', HYBRID)).toBe('/sys/fs/cgroup/unified/')
})

test('a mount of a part of the tree is measured from that part', () => {
  const part = '30 20 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw'
  expect(ownCgroup('0::/docker/abc/x\n', part)).toBe('/sys/fs/cgroup/x')
  expect(ownCgroup('0::/docker/abcdef\n', part)).toBeUndefined()
})

test('there is none without a tree, and none outside of the namespace', () => {
  expect(ownCgroup('8:pids:/x\n', MOUNTED)).toBeUndefined()
  expect(ownCgroup('0::/x\n', '29 20 0:25 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids')).toBeUndefined()
  expect(ownCgroup('0::/../other\n', MOUNTED)).toBeUndefined()
})

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that looks like a cgroup of ours. */
function parentFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coop-cgroups-'))
  folders.push(folder)
  writeFileSync(join(folder, 'cgroup.procs'), '')
  return folder
}
const quiet = (): void => {}

test('one that still has processes is removed later', () => {
  const parent = parentFolder()
  const cgroups = new Cgroups('/data', quiet, parent)
  const path = cgroups.make() ?? ''
  writeFileSync(join(path, 'a process'), '') // an ordinary folder with a file in it is just as busy
  cgroups.remove(path)
  expect(cgroups.leaving).toBe(1)
  rmSync(join(path, 'a process'))
  cgroups.sweep()
  expect([cgroups.leaving, existsSync(path)]).toEqual([0, false])
})

test('only those of the same data folder are cleared, and none that lives', () => {
  const parent = parentFolder()
  const [mine, other] = [new Cgroups('/data', quiet, parent), new Cgroups('/other', quiet, parent)]
  const [left = '', living = '', foreign = ''] = [mine.make(), mine.make(), other.make()]
  mkdirSync(join(parent, 'app.scope'))
  new Cgroups('/data', quiet, parent).clear([], new Set([living]))
  const there = readdirSync(parent).sort()
  expect(there).toEqual([basename(living), basename(foreign), 'app.scope', 'cgroup.procs'].sort())
  expect(there).not.toContain(basename(left))
  // A path in a manifest that is not ours is left alone.
  mine.remove(join(parent, 'app.scope'))
  expect(existsSync(join(parent, 'app.scope'))).toBe(true)
})

test('after a refusal there are no more, except when the machine was short of something', () => {
  const cgroups = new Cgroups('/data', quiet, parentFolder())
  const refuse = (code: string) =>
    cgroups.refused(cgroups.make() ?? '', Object.assign(new Error('no'), { cause: { code } }))
  refuse('EAGAIN')
  expect(cgroups.make()).toBeDefined()
  refuse('ENOSYS')
  expect(cgroups.make()).toBeUndefined()
})
