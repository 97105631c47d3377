/**
 * Calls on the whole machine: another kernel, modules, swap, reboot, clocks, the kernel's log,
 * accounting and quotas. Most of them need capabilities of the first user namespace. Where the kernel says EPERM
 * outside, too, there is no positive control; the test shows that the other calls reach the kernel.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, callsUnprotected, MEMORY, string } from './calls.ts'
import { inBox, needed } from './support.ts'

const NONE = 0xffff_ffffn // a descriptor or clock that does not exist

/** The calls only ask, or ask for things that do not exist; a kernel that looks at them does not say EPERM. */
const VISIBLE = [
  ...call('adjtimex', MEMORY), // mode 0 reads the clock
  ...call('clock_adjtime', 0, MEMORY),
  ...call('clock_settime', 99, MEMORY),
  ...call('quotactl_fd', NONE, 0, 0, MEMORY),
]
const INVISIBLE = [
  ...call('kexec_load', 0, 0, MEMORY, 0),
  ...call('kexec_file_load', NONE, NONE, 0, 0, 0),
  ...call('init_module', MEMORY, 16, string('')),
  ...call('finit_module', NONE, string(''), 0),
  ...call('delete_module', string('coop_has_none'), 0),
  ...call('swapon', string('/nowhere'), 0),
  ...call('swapoff', string('/nowhere')),
  ...call('acct', string('/nowhere')),
  ...call('quotactl', 0x800007, 0, 0, MEMORY),
  ...call('syslog', 3, MEMORY, 4096), // SYSLOG_ACTION_READ_ALL
  ...call('syslog@size', 10),
  ...call('vhangup'),
  ...call('iopl', 3),
  ...call('ioperm', 0x80, 1, 1),
  ...call('move_pages', 0, 0, 0, 0, 0, 0),
  ...call('migrate_pages', 0, 0, 0, 0),
]
/** The wrong magic numbers: the kernel checks them only for a caller that may reboot. Root of a pid namespace may. */
const REBOOT = call('reboot', 1, 2, 3, 0)
const CLOCK = call('settimeofday', MEMORY, 0)

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(
    `positive control: without a box the kernel looks at them${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const outside = await callsOutside(t, VISIBLE)
      expect(Object.keys(outside)).toHaveLength(VISIBLE.length)
      expect(Object.entries(outside).filter(([, answer]) => answer === 'EPERM')).toEqual([])
      expect(await callsUnprotected(t, REBOOT)).toEqual({ reboot: 'EINVAL' })
    },
  )

  test.skipIf(gcc.missing)(`a box can make none of these calls${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const calls = [...VISIBLE, ...INVISIBLE, ...REBOOT, ...CLOCK]
    expect(await callsInBox(t, calls)).toEqual(all(calls, 'EPERM'))
  })

  test.skipIf(gcc.missing)(`a nested box can make none of these calls${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.settings('[sandbox]\nnested = true\n')
    const calls = [...VISIBLE, ...INVISIBLE, ...REBOOT, ...CLOCK]
    expect(await callsInBox(t, calls)).toEqual(all(calls, 'EPERM'))
  })

  test.skipIf(box.missing)(`a box has no device or file with the same effect${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const ways =
      '/dev/mem /dev/kmem /dev/port /dev/rtc* /dev/watchdog* /dev/kmsg /dev/kvm /dev/fuse /dev/net/tun'
    expect(await inBox(t, `ls -d ${ways} /dev/loop* /dev/snapshot /dev/vsock 2>/dev/null; :`)).toBe('')
  })
})
