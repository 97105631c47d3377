/**
 * Files by handle. A handle names an inode and no path, so a process that may open one gets past every
 * mount and every root folder; that was the first well-known way out of a container ("shocker", 2014).
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, MEMORY, string } from './calls.ts'
import { needed } from './support.ts'

const CWD = 0xffff_ff9cn // AT_FDCWD, -100

// A handle of no bytes: too short for the kernel, which answers with the size it needs.
const NAME = [
  ...call('name_to_handle_at', CWD, string('/'), MEMORY, MEMORY, 0),
  ...call('name_to_handle_at@workspace', CWD, string('.'), MEMORY, MEMORY, 0),
]
const OPEN = call('open_by_handle_at', CWD, MEMORY, 0)
const CALLS = [
  ...NAME,
  ...OPEN,
  ...call('fanotify_init', 0x200, 0), // FAN_REPORT_FID: the same handles, as events
  ...call('fanotify_mark', 0, 0, 0, CWD, string('/')),
]

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')

  // An ordinary user may not open a handle outside either; root could, if the handle were complete.
  test.skipIf(gcc.missing)(`positive control: outside every file has a handle${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const outside = await callsOutside(t, CALLS)
    expect(outside).toMatchObject(all(NAME, 'EOVERFLOW'))
    expect(outside.fanotify_init).toBe('OK')
    if (invoker.uid === 0) expect(outside.open_by_handle_at).toBe('EINVAL')
  })

  test.skipIf(gcc.missing)(`a box learns no handle and opens none${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await callsInBox(t, CALLS)).toEqual(all(CALLS, 'EPERM'))
  })
})
