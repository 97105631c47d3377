/**
 * The system calls that a box may make, and why. An allow-list: calls not named here fail with ENOSYS, so that programs
 * fall back as on an older kernel. Calls that one architecture lacks are skipped there. rules.ts has the calls that
 * depend on their arguments.
 */
import { ABIS, type AnySyscall } from '../../../ffi/abi/index.ts'
import {
  CLONE,
  FCNTL,
  IOCTL,
  MKNOD,
  MKNODAT,
  NESTED_CLONE,
  NO_MARKS,
  PERSONALITY,
  PRLIMIT,
  type Rule,
  SOCKET,
  UNSHARE,
  type Verdict,
} from './rules.ts'

/** The parts of the policy that the configuration can change. */
export interface Switches {
  /** The box may make namespaces of its own, in a user namespace below its own. */
  readonly nested: boolean
  /** Processes of the box may inspect each other. */
  readonly ptrace: boolean
  /** False: no file can get a setuid or setgid mark. */
  readonly setuidFiles?: boolean
}

/** Names separated by white space, with one decision and one reason. */
export interface Group {
  readonly why: string
  readonly calls: string
  readonly verdict: Verdict | Rule
}

const allow = (why: string, calls: string): Group => ({ why, calls, verdict: 'allow' })
const refuse = (why: string, calls: string): Group => ({ why, calls, verdict: 'EPERM' })
const unknown = (why: string, calls: string): Group => ({ why, calls, verdict: 'ENOSYS' })
const byArguments = (why: string, calls: string, rule: Rule): Group => ({ why, calls, verdict: rule })

const ORDINARY: readonly Group[] = [
  allow(
    'reading and writing',
    `read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek sendfile splice tee vmsplice
    copy_file_range fsync fdatasync sync syncfs sync_file_range readahead fadvise64 fallocate truncate ftruncate
    cachestat`,
  ),
  allow(
    'opening and closing; programs use close_range to drop inherited descriptors',
    `open openat openat2 creat close close_range dup dup2 dup3 flock pipe pipe2 memfd_create memfd_secret`,
  ),
  allow(
    'the file tree',
    `stat fstat lstat newfstatat statx access faccessat faccessat2 getdents getdents64 getcwd chdir fchdir rename
    renameat renameat2 mkdir mkdirat rmdir link linkat unlink unlinkat symlink symlinkat readlink readlinkat chmod
    fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask utime utimes utimensat futimesat statfs fstatfs
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch`,
  ),
  allow(
    'attributes; the file system decides which of them may be set',
    `setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr
    listxattrat removexattr lremovexattr fremovexattr removexattrat file_getattr file_setattr`,
  ),
  allow('listing the mounts of its own namespace, as findmnt does', 'statmount listmount'),
  allow('root in the box keeps SYS_CHROOT; it has no descriptor outside its root to escape by', 'chroot'),
  allow(
    'waiting for events',
    `poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd
    eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime`,
  ),
  allow(
    'asynchronous files, for databases',
    'io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents',
  ),
  allow(
    'memory',
    `mmap mprotect munmap mremap msync mincore madvise brk mlock mlock2 munlock mlockall munlockall mseal
    remap_file_pages pkey_mprotect pkey_alloc pkey_free map_shadow_stack`,
  ),
  allow(
    'memory placement of the process itself, for databases and Java',
    'mbind set_mempolicy get_mempolicy',
  ),
  allow(
    'processes and threads',
    `fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid setpgid getpgrp getsid
    setsid set_tid_address set_robust_list get_robust_list futex futex_wait futex_wake futex_requeue futex_waitv
    rseq membarrier restart_syscall arch_prctl prctl pidfd_open pidfd_send_signal process_mrelease`,
  ),
  allow(
    'signals; they reach only the pid namespace',
    `rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo
    rt_sigsuspend sigaltstack kill tkill tgkill pause`,
  ),
  allow(
    'ids and capabilities, which the user namespace and the bounding set limit',
    `getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid setresgid
    setfsuid setfsgid setgroups capget capset`,
  ),
  allow(
    'scheduling and limits',
    `sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_setattr sched_getattr
    sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_setaffinity sched_getaffinity
    getpriority setpriority ioprio_get ioprio_set getrlimit setrlimit getrusage getcpu`,
  ),
  allow(
    'reading the time',
    `time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep times alarm getitimer setitimer
    timer_create timer_settime timer_gettime timer_getoverrun timer_delete`,
  ),
  allow('facts about the system', 'uname sysinfo getrandom'),
  allow(
    'sockets that are already open',
    `connect accept accept4 bind listen shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg getsockname
    getpeername setsockopt getsockopt`,
  ),
  allow(
    'System V and POSIX IPC, in an IPC namespace of its own',
    `shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink
    mq_timedsend mq_timedreceive mq_notify mq_getsetattr`,
  ),
  allow(
    'programs that confine themselves further; agents do',
    'seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self',
  ),
  allow(
    'used only by the trampoline of a probe that the host set; without it probed programs die',
    'uretprobe uprobe',
  ),
  byArguments('terminals and file systems', 'ioctl', IOCTL),
  byArguments('files, but no leases', 'fcntl', FCNTL),
  byArguments('limits, but not those of init', 'prlimit64', PRLIMIT),
  byArguments('families and protocols', 'socket socketpair', SOCKET),
  byArguments('uname and address layout', 'personality', PERSONALITY),
  byArguments('FIFOs and sockets, no devices', 'mknod', MKNOD),
  byArguments('FIFOs and sockets, no devices', 'mknodat', MKNODAT),
]

const REFUSED: readonly Group[] = [
  refuse(
    'programs inside the kernel, and counters that read its memory (CVE-2021-3490)',
    'bpf perf_event_open',
  ),
  refuse('can pause the kernel in the middle of a copy, which many exploits need', 'userfaultfd'),
  refuse(
    'opens files by number instead of by path, outside of every mount (CVE-2014-3519)',
    'open_by_handle_at name_to_handle_at',
  ),
  refuse('watches whole file systems, the host included', 'fanotify_init fanotify_mark'),
  refuse('another kernel', 'kexec_load kexec_file_load'),
  refuse('kernel modules', 'init_module finit_module delete_module'),
  refuse('the machine', 'reboot swapon swapoff acct quotactl quotactl_fd syslog vhangup'),
  refuse('the clock of the whole machine', 'settimeofday clock_settime clock_adjtime adjtimex'),
  refuse('hardware ports', 'iopl ioperm'),
  refuse('identities of files in the kernel, for profilers of the whole system', 'lookup_dcookie'),
  refuse(
    'pages of other processes; nothing in development needs it',
    'move_pages migrate_pages set_mempolicy_home_node',
  ),
]

const ABSENT: readonly Group[] = [
  unknown(
    'the kernel keeps keys per user, not per namespace (CVE-2016-0728); crun and runc do without on a kernel that has none, but end on EPERM',
    'keyctl add_key request_key',
  ),
  unknown(
    'a second way to make calls, which bypasses this filter (CVE-2022-29582); programs fall back as on a kernel without it',
    'io_uring_setup io_uring_enter io_uring_register',
  ),
  unknown('a filter cannot see its flags behind a pointer; every C library falls back to clone', 'clone3'),
  unknown(
    'removed from the kernel, or never implemented',
    `uselib ustat sysfs _sysctl create_module get_kernel_syms query_module
    nfsservctl getpmsg putpmsg afs_syscall tuxcall security vserver epoll_ctl_old epoll_wait_old`,
  ),
  unknown(
    '16- and 32-bit segments: kernel code for programs that a box cannot run',
    'modify_ldt set_thread_area get_thread_area',
  ),
  unknown(
    'names of the security modules of the host',
    'lsm_get_self_attr lsm_set_self_attr lsm_list_modules',
  ),
]

/** Bounded by ptrace_may_access: reaches the box's own processes, but not its init, which is not dumpable. */
const TRACING = `ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd`

const MOUNTING = `mount umount2 pivot_root fsopen fsmount fsconfig fspick move_mount open_tree open_tree_attr
  mount_setattr setns sethostname setdomainname`

function switched({ nested, ptrace }: Switches): Group[] {
  return [
    ptrace
      ? allow(
          'debuggers; since Linux 4.8 the filter comes after the tracer. Nothing here exceeds ptrace',
          TRACING,
        )
      : refuse('tracing is switched off', TRACING),
    ...(nested
      ? [
          allow('nested: what a user namespace of the box may do, bounded by it', MOUNTING),
          byArguments('nested: new namespaces, but no cgroup namespace', 'clone unshare', NESTED_CLONE),
        ]
      : [
          refuse("mounts and names of the box are coop's", MOUNTING),
          byArguments('threads and processes, no namespaces', 'clone', CLONE),
          byArguments('threads and processes, no namespaces', 'unshare', UNSHARE),
        ]),
  ]
}

/** All groups, for `coop` to explain and to build the filter from. */
export function policyGroups(switches: Switches): Group[] {
  return [...ORDINARY, ...REFUSED, ...ABSENT, ...switched(switches)]
}

function isSyscall(name: string): name is AnySyscall {
  return Object.values(ABIS).some(({ sys }) => name in sys)
}

/** The same decisions by call. Throws if a name is not a call of either architecture or is decided twice. */
export function policy(switches: Switches): ReadonlyMap<AnySyscall, Verdict | Rule> {
  const decisions = new Map<AnySyscall, Verdict | Rule>()
  for (const { calls, verdict } of policyGroups(switches))
    for (const name of calls.split(/\s+/)) {
      if (!isSyscall(name)) throw new Error(`seccomp policy: there is no call ${name}`)
      if (decisions.has(name)) throw new Error(`seccomp policy: ${name} is decided twice`)
      decisions.set(name, verdict)
    }
  if (switches.setuidFiles === false)
    for (const [name, verdict] of Object.entries(NO_MARKS)) if (isSyscall(name)) decisions.set(name, verdict)
  return decisions
}
