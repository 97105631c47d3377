/**
 * Io_uring makes calls from the kernel's own threads, past every filter (CVE-2022-29582).
 *
 * A box has no descriptors but 0, 1 and 2, so it can have no ring. The descriptors
 * here are not rings; only a kernel that looks at them notices.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, MEMORY } from './calls.ts'
import { needed } from './support.ts'

const CALLS = [
  ...call('io_uring_setup', 1, MEMORY),
  ...call('io_uring_enter', 0, 0, 0, 0, 0, 0),
  ...call('io_uring_register', 0, 0, 0, 0),
]

function isDisabled(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/io_uring_disabled', 'utf8').trim() !== '0'
  } catch {
    return false // a kernel before 6.6 has no such switch
  }
}

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const control = needsAll({ gcc: !gcc.missing, 'io_uring on the host': !isDisabled() })

  test.skipIf(control.missing)(
    `positive control: outside the kernel makes rings${control.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const outside = await callsOutside(t, CALLS)
      expect(outside.io_uring_setup).toBe('OK')
      expect(Object.values(outside)).not.toContain('EPERM')
    },
  )

  test.skipIf(gcc.missing)(`a box makes no ring and uses none${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await callsInBox(t, CALLS)).toEqual(all(CALLS, 'ENOSYS'))
  })
})
