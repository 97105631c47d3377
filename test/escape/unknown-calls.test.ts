/**
 * Calls that are newer than the filter. They must look like those of an older kernel, ENOSYS, so that
 * programs fall back to what they did before; EPERM makes them give up.
 *
 * There is no positive control for calls that no kernel has yet; instead the answer must come from the filter also
 * where this kernel would have said something else.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, type Call, call, callsInBox, callsOutside, MEMORY } from './calls.ts'
import { inBox, needed } from './support.ts'

// Past the last call that either table has, and far from the x32 bit.
const NUMBERS = [480, 511, 600, 999, 4096, 65_535, 0x3fff_ffff, 0x7fff_ffff]
const UNKNOWN: Call[] = NUMBERS.map((nr) => ({ name: `call-${nr}`, nr, args: [MEMORY, 64, 0, 0] }))
/** In the kernel, and not for a box: names of the host's security modules; what has gone. */
const ABSENT = [
  ...call('lsm_list_modules', MEMORY, 0, 0),
  ...call('lsm_get_self_attr', 100, 0, MEMORY, 0),
  ...call('modify_ldt', 0, MEMORY, 16),
]

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(
    `positive control: outside this kernel knows some of them${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const known = Object.values(await callsOutside(t, ABSENT)).filter((answer) => answer !== 'ENOSYS')
      expect(known).not.toEqual([])
    },
  )

  test.skipIf(gcc.missing)(`a box is told that there is no such call${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const calls = [...UNKNOWN, ...ABSENT]
    expect(await callsInBox(t, calls)).toEqual(all(calls, 'ENOSYS'))
  })

  test.skipIf(box.missing)(`and programs that try something newer first go on${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    // Threads by clone3, then clone; copies by copy_file_range, then read and write.
    const script =
      'cp /usr/bin/env copy && sort --parallel=4 copy >/dev/null && ls -l copy >/dev/null && echo on'
    expect(await inBox(t, script)).toBe('on\n')
  })
})
