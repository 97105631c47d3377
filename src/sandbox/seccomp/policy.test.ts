import { expect, test } from 'bun:test'
import { ABIS } from '../../../ffi/abi/index.ts'
import { policy, policyGroups } from './policy.ts'

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

// Written by hand instead of taken from the policy, so that a call that moves to another group is noticed.
const REFUSED = `bpf perf_event_open userfaultfd
  open_by_handle_at name_to_handle_at kexec_load kexec_file_load init_module finit_module
  delete_module swapon swapoff reboot settimeofday clock_settime clock_adjtime adjtimex syslog acct quotactl
  quotactl_fd iopl ioperm vhangup fanotify_init fanotify_mark lookup_dcookie migrate_pages move_pages`
const ABSENT = 'clone3 io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key'
const MOUNTING = `mount umount2 pivot_root fsopen fsmount fsconfig fspick move_mount open_tree open_tree_attr
  mount_setattr setns sethostname setdomainname`
const USED = `memfd_create memfd_secret seccomp pidfd_open pidfd_send_signal close_range openat2 rseq membarrier
  futex futex_wait futex_wake futex_requeue futex_waitv cachestat fchmodat2 mseal map_shadow_stack
  set_mempolicy get_mempolicy mbind sched_setaffinity sched_getaffinity sched_setscheduler sched_yield
  inotify_init1 inotify_add_watch timerfd_create signalfd4 epoll_create1 epoll_pwait2 io_setup io_submit
  copy_file_range setxattr getxattr listxattr removexattr setxattrat landlock_create_ruleset
  landlock_add_rule landlock_restrict_self prctl arch_prctl execve execveat vfork fork wait4 waitid mmap mremap
  statx faccessat2 renameat2 getrandom shmget semop msgsnd mq_open chroot setgroups capset statmount
  listmount`
const names = (list: string) => list.split(/\s+/)

test('what endangers the host is refused, whatever the switches', () => {
  for (const switches of SWITCHES) {
    const decided: ReadonlyMap<string, unknown> = policy(switches)
    for (const name of names(REFUSED)) expect([name, decided.get(name)]).toEqual([name, 'EPERM'])
    for (const name of names(ABSENT)) expect([name, decided.get(name)]).toEqual([name, 'ENOSYS'])
  }
})

test('mounting and entering namespaces are refused unless the box is nested', () => {
  const [closed, open]: ReadonlyMap<string, unknown>[] = [policy(NORMAL), policy({ ...NORMAL, nested: true })]
  for (const name of names(MOUNTING))
    expect([name, closed?.get(name), open?.get(name)]).toEqual([name, 'EPERM', 'allow'])
})

test('what compilers, runtimes, package managers and databases call is allowed', () => {
  const decided: ReadonlyMap<string, unknown> = policy({ nested: false, ptrace: false })
  for (const name of names(USED)) expect([name, decided.get(name)]).toEqual([name, 'allow'])
})
