import { expect, test } from 'bun:test'
import { ABIS } from '../../ffi/abi/index.ts'
import { policy, policyGroups } from './seccomp-policy.ts'

const SWITCHES = [false, true].flatMap((nested) => [false, true].map((ptrace) => ({ nested, ptrace })))
const NORMAL = { nested: false, ptrace: true }

test('every call of both tables is decided, once, whatever the switches', () => {
  for (const switches of SWITCHES) {
    const decided = policy(switches)
    for (const { sys } of Object.values(ABIS))
      expect(Object.keys(sys).filter((name) => !decided.has(name as never))).toEqual([])
  }
})

test('every decision has a reason', () => {
  for (const { why } of policyGroups(NORMAL)) expect(why.length).toBeGreaterThan(4)
})

test('nested opens namespaces and mounts, and nothing else', () => {
  const [closed, open] = [policy(NORMAL), policy({ ...NORMAL, nested: true })]
  const changed = [...open].filter(([name, verdict]) => closed.get(name) !== verdict).map(([name]) => name)
  expect(changed.sort()).toEqual([
    'clone',
    'fsconfig',
    'fsmount',
    'fsopen',
    'fspick',
    'mount',
    'mount_setattr',
    'move_mount',
    'open_tree',
    'open_tree_attr',
    'pivot_root',
    'setdomainname',
    'sethostname',
    'setns',
    'umount2',
    'unshare',
  ])
  expect(open.get('clone3')).toBe('ENOSYS')
})

test('without ptrace no process looks into another', () => {
  const [open, closed] = [policy(NORMAL), policy({ ...NORMAL, ptrace: false })]
  const changed = [...open].filter(([name, verdict]) => closed.get(name) !== verdict).map(([name]) => name)
  expect(changed.sort()).toEqual([
    'kcmp',
    'pidfd_getfd',
    'process_madvise',
    'process_vm_readv',
    'process_vm_writev',
    'ptrace',
  ])
})
