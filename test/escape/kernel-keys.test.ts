/**
 * Keyctl, add_key, request_key. Keys belong to users of the kernel, not to namespaces: a keyring of
 * the host's user is also that of a box with the same id, and their code had CVE-2016-0728.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, string } from './calls.ts'
import { inBox, needed } from './support.ts'

const PROCESS_KEYRING = 0xffff_fffen // KEY_SPEC_PROCESS_KEYRING, -2
const USER_KEYRING = 0xffff_fffcn // KEY_SPEC_USER_KEYRING, -4
const CREATE = 1

const CALLS = [
  ...call('add_key', string('user'), string('coop'), string('secret'), 6, PROCESS_KEYRING),
  ...call('keyctl', 0, PROCESS_KEYRING, CREATE), // KEYCTL_GET_KEYRING_ID
  ...call('keyctl@user', 0, USER_KEYRING, CREATE),
  ...call('keyctl@join', 1, string('session')), // KEYCTL_JOIN_SESSION_KEYRING
]
const REQUEST = call('request_key', string('user'), string('coop-has-none'), 0, 0)

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(`positive control: outside the kernel makes keys${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await callsOutside(t, [...CALLS, ...REQUEST])).toEqual({
      ...all(CALLS, 'OK'),
      request_key: 'ENOKEY',
    })
  })

  test.skipIf(gcc.missing)(`a box makes, finds and reads no key${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const calls = [...CALLS, ...REQUEST]
    expect(await callsInBox(t, calls)).toEqual(all(calls, 'ENOSYS'))
  })

  test.skipIf(box.missing)(`a box lists no keys of others${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await inBox(t, 'cat /proc/keys /proc/key-users 2>/dev/null; :')).toBe('')
  })
})
