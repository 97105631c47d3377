/**
 * Calls that are newer than the filter. They must fail like in an older kernel, with ENOSYS, so that
 * programs use their older code; EPERM makes them give up.
 *
 * Calls that no kernel has yet have no positive control. Instead, the answer must come from the filter even
 * where this kernel would give another one.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, type Call, call, callsInBox, callsOutside, MEMORY } from './calls.ts'
import { inBox, needed } from './support.ts'

// Past the last call of either table, and far from the x32 bit.
const NUMBERS = [480, 511, 600, 999, 4096, 65_535, 0x3fff_ffff, 0x7fff_ffff]
const UNKNOWN: Call[] = NUMBERS.map((nr) => ({ name: `call-${nr}`, nr, args: [MEMORY, 64, 0, 0] }))
/** Calls of the kernel that boxes do not get: names of the host's security modules, and removed calls. */
const ABSENT = [
  ...call('lsm_list_modules', MEMORY, 0, 0),
  ...call('lsm_get_self_attr', 100, 0, MEMORY, 0),
  ...call('modify_ldt', 0, MEMORY, 16),
]

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(
    `positive control: outside, this kernel knows some of the calls${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const known = Object.values(await callsOutside(t, ABSENT)).filter((answer) => answer !== 'ENOSYS')
      expect(known).not.toEqual([])
    },
  )

  test.skipIf(gcc.missing)(`a box gets ENOSYS for such a call${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const calls = [...UNKNOWN, ...ABSENT]
    expect(await callsInBox(t, calls)).toEqual(all(calls, 'ENOSYS'))
  })

  test.skipIf(box.missing)(`programs that try a newer call first continue${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    // Threads use clone3, then clone; copies use copy_file_range, then read and write.
    const script =
      'cp /usr/bin/env copy && sort --parallel=4 copy >/dev/null && ls -l copy >/dev/null && echo on'
    expect(await inBox(t, script)).toBe('on\n')
  })
})
