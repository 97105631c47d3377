/**
 * Bpf, perf_event_open and userfaultfd: programs in the kernel (CVE-2021-3490), counters that read
 * its memory, and a way to stop it in the middle of a copy.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, callsUnprotected, MEMORY } from './calls.ts'
import { needed } from './support.ts'

const USER_MODE_ONLY = 1

// Each call is malformed; only a kernel that looks at it notices.
const BPF = [
  ...call('bpf', 0xffff, MEMORY, 128),
  ...call('bpf@map', 0, MEMORY, 128), // BPF_MAP_CREATE
  ...call('bpf@large', 0, MEMORY, 1 << 20),
]
const PERF = [
  ...call('perf_event_open', 0, 0, -1, -1, 0),
  ...call('perf_event_open@own', MEMORY, 0, -1, -1, 0),
]
const FAULT = [...call('userfaultfd', USER_MODE_ONLY), ...call('userfaultfd@all', 0)]
const CALLS = [...BPF, ...PERF, ...FAULT]

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')

  // For bpf an ordinary user has no control where the host refuses it to them (unprivileged_bpf_disabled).
  test.skipIf(gcc.missing)(`positive control: outside the kernel looks at them${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const outside = await callsOutside(t, CALLS)
    expect(outside).toMatchObject({ perf_event_open: 'EFAULT', userfaultfd: 'OK' })
    if (invoker.uid === 0) expect(outside.bpf).toBe('EINVAL')
    expect(await callsUnprotected(t, FAULT)).toMatchObject({ userfaultfd: 'OK' })
  })

  test.skipIf(gcc.missing)(`a box has none of them${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await callsInBox(t, CALLS)).toEqual(all(CALLS, 'EPERM'))
  })

  test.skipIf(gcc.missing)(`a nested box has none of them either${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.settings('[sandbox]\nnested = true\n')
    expect(await callsInBox(t, CALLS)).toEqual(all(CALLS, 'EPERM'))
  })
})
