/**
 * Clone3, and the NEW* flags of clone, unshare and setns. user-namespaces.test.ts covers each flag alone; here are
 * the ways around a filter of flags: mixed with others, with upper bits, through a struct that it cannot read.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, callsUnprotected, MEMORY, string } from './calls.ts'
import { inBox, needed } from './support.ts'

const SIGCHLD = 17n
const FS_FILES = 0x600n // CLONE_FS | CLONE_FILES
const NEWUSER = 0x1000_0000n
const NEWNS = 0x2_0000n
const NEWCGROUP = 0x200_0000n
const EVERY = 0x7e02_0000n // all flags of clone
const UPPER = 0xffff_ffffn << 32n

const HARMLESS = [...call('unshare', FS_FILES), ...call('clone', SIGCHLD, 0, 0, 0, 0)]
const MIXED = [
  ...call('unshare@user', NEWUSER | FS_FILES),
  ...call('unshare@mounts', NEWUSER | NEWNS),
  ...call('unshare@every', EVERY),
  ...call('clone@user', NEWUSER | SIGCHLD, 0, 0, 0, 0),
  ...call('clone@mounts', NEWUSER | NEWNS | SIGCHLD, 0, 0, 0, 0),
]
const REST = call('unshare@rest', EVERY & ~NEWCGROUP)
/** clone reads its low half only, so outside these are the same calls once more. */
const UPPER_BITS = [
  ...call('clone@upper', UPPER | NEWUSER | SIGCHLD, 0, 0, 0, 0),
  ...call('unshare@upper', UPPER | NEWUSER),
]
const JOIN = [
  ...call('setns', 0, 0),
  ...call('setns@user', 0, NEWUSER),
  ...call('setns@every', 0, EVERY),
  ...call('setns@none', 99, NEWNS),
]
const STRUCT = [
  ...call('clone3', MEMORY, 88),
  ...call('clone3@old', MEMORY, 64),
  ...call('clone3@large', MEMORY, 4096),
  ...call('clone3@none', 0, 0),
]

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(`positive control: outside the kernel makes them${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await callsOutside(t, MIXED)).toEqual(all(MIXED, 'OK'))
    expect(await callsOutside(t, UPPER_BITS)).toMatchObject({ 'clone@upper': 'OK' })
    expect(await callsUnprotected(t, STRUCT)).toMatchObject({ clone3: 'OK', 'clone3@none': 'EINVAL' })
  })

  test.skipIf(gcc.missing)(`a box makes and joins none, by any mixture of flags${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const refused = [...MIXED, ...UPPER_BITS, ...JOIN]
    const calls = [...HARMLESS, ...refused, ...STRUCT]
    expect(await callsInBox(t, calls)).toEqual({
      ...all(HARMLESS, 'OK'),
      ...all(refused, 'EPERM'),
      ...all(STRUCT, 'ENOSYS'),
    })
  })

  test.skipIf(gcc.missing)(`clone3 is unknown also where namespaces are allowed${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.settings('[sandbox]\nnested = true\n')
    // A cgroup namespace is refused there, too (delegated-cgroups.test.ts).
    expect(await callsInBox(t, [...MIXED, ...REST, ...STRUCT])).toEqual({
      ...all([...MIXED, ...REST], 'OK'),
      'unshare@every': 'EPERM',
      ...all(STRUCT, 'ENOSYS'),
    })
  })

  test.skipIf(gcc.missing)(
    `mounts and host names stay coop's by every call for them${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const calls = [
        ...call('mount', string('none'), string('/tmp'), string('tmpfs'), 0, 0),
        ...call('umount2', string('/proc'), 2),
        ...call('pivot_root', string('.'), string('.')),
        ...call('fsopen', string('proc'), 0),
        ...call('fspick', 0xffff_ff9cn, string('/'), 0),
        ...call('open_tree', 0xffff_ff9cn, string('/'), 1),
        ...call('move_mount', 0, string(''), 0, string(''), 0),
        ...call('mount_setattr', 0xffff_ff9cn, string('/'), 0, MEMORY, 32),
        ...call('sethostname', string('name'), 4),
        ...call('setdomainname', string('name'), 4),
      ]
      expect(await callsInBox(t, calls)).toEqual(all(calls, 'EPERM'))
    },
  )

  test.skipIf(box.missing)(`threads and processes work without these calls${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await inBox(t, 'seq 20000 | sort -n --parallel=4 | tail -1')).toBe('20000\n')
  })
})
