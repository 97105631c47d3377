/**
 * Calls that a box may make only with some arguments, as data. A filter cannot follow pointers, so only numbers are
 * checked (seccomp(2)). Only their low 32 bits are, because the kernel reads no more of an `int` or `unsigned int`:
 * comparing 64 bits is how `TIOCSTI | 1 << 32` got past snapd and Flatpak (CVE-2019-7303, CVE-2019-10063).
 */
import * as k from '../../../ffi/abi/constants.ts'
import type { ErrnoName } from '../../../ffi/abi/errno.ts'
import { FILE_SYSTEM_IOCTLS } from '../file-system-ioctls.ts'

/** The result of a call: it is made, or it fails with this error. */
export type Verdict = 'allow' | ErrnoName

/** True if the low half of the argument, masked, is one of these values. */
export interface Condition {
  readonly arg: 0 | 1 | 2 | 3 | 4 | 5
  readonly mask?: number
  readonly in: readonly number[]
}

/** The first clause whose conditions all hold decides. */
export interface Clause {
  readonly when: readonly Condition[]
  readonly verdict: Verdict
}

export interface Rule {
  readonly clauses: readonly Clause[]
  readonly otherwise: Verdict
}

/** Namespaces that clone(2) can make. CLONE_NEWTIME is not among them: its bit is part of the exit signal. */
export const CLONE_NAMESPACES =
  k.CLONE_NEWNS |
  k.CLONE_NEWCGROUP |
  k.CLONE_NEWUTS |
  k.CLONE_NEWIPC |
  k.CLONE_NEWUSER |
  k.CLONE_NEWPID |
  k.CLONE_NEWNET

/**
 * New namespaces are refused. A user namespace gives every capability inside it, and with them access to the kernel
 * code behind most container escapes of the last ten years (CVE-2022-0185, CVE-2023-32233, CVE-2024-1086). The flags
 * are the first argument on both architectures.
 */
export const CLONE: Rule = {
  clauses: [{ when: [{ arg: 0, mask: CLONE_NAMESPACES, in: [0] }], verdict: 'allow' }],
  otherwise: 'EPERM',
}

/**
 * `nested`: every kind but cgroup namespaces. Mounting a cgroup file system needs CAP_SYS_ADMIN over the user namespace
 * that owns the caller's cgroup namespace. The box's own belongs to the box, where nobody has that capability. In a
 * new cgroup namespace a program could mount the cgroup that the box runs in, which belongs to the user where systemd
 * delegates it. `cgroup.kill` and `cgroup.freeze` would then reach the user's other programs.
 */
export const NESTED_CLONE: Rule = {
  clauses: [{ when: [{ arg: 0, mask: k.CLONE_NEWCGROUP, in: [k.CLONE_NEWCGROUP] }], verdict: 'EPERM' }],
  otherwise: 'allow',
}

/** CLONE_FILES, CLONE_FS and the like stay allowed: they only separate what threads share. */
export const UNSHARE: Rule = {
  clauses: [{ when: [{ arg: 0, mask: CLONE_NAMESPACES | k.CLONE_NEWTIME, in: [0] }], verdict: 'allow' }],
  otherwise: 'EPERM',
}

/**
 * TIOCSTI types into a terminal that somebody else reads next (CVE-2017-5226), TIOCLINUX pastes into a console,
 * TIOCCONS takes the console's output, and TIOCSETD loads line disciplines, old kernel code that any terminal reaches
 * (CVE-2017-2636). file-system-ioctls.ts has the requests that affect a whole file system.
 */
export const IOCTL: Rule = {
  clauses: [
    { when: [{ arg: 1, in: [k.TIOCSTI, k.TIOCLINUX, k.TIOCCONS, k.TIOCSETD] }], verdict: 'EPERM' },
    { when: [{ arg: 1, in: Object.values(FILE_SYSTEM_IOCTLS) }], verdict: 'EPERM' },
  ],
  otherwise: 'allow',
}

/** socket(2): the low four bits are the type; SOCK_NONBLOCK and SOCK_CLOEXEC lie above them. */
const SOCK_TYPE_MASK = 0xf

const INTERNET: Condition = { arg: 0, in: [k.AF_INET, k.AF_INET6] }

const IPPROTO_ICMP = 1
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
const IPPROTO_ICMPV6 = 58
const IPPROTO_UDPLITE = 136
const IPPROTO_MPTCP = 262

/**
 * An allow-list of families: for each of the others the kernel would load a module on request (AF_ALG: CVE-2019-8912;
 * AF_PACKET: CVE-2020-14386; AF_VSOCK: CVE-2021-26708, which also leads to the hypervisor). Internet sockets exclude
 * raw ones and protocols with a module of their own (DCCP: CVE-2017-6074, SCTP, L2TP); ping uses datagrams, Go's
 * listeners MPTCP, and UDP-Lite is part of UDP's own code (until Linux 7.1, which removed it). Netlink is limited to routes, which getaddrinfo needs. The others get EPROTONOSUPPORT, from which
 * libaudit, ss and libnl conclude that the kernel lacks them.
 *
 * Types are an allow-list, too: protocol 0 is the first one of its type (inet_create in net/ipv4/af_inet.c), so
 * SOCK_DCCP with 0 loads DCCP (its alias net-pf-2-proto-0-type-6), and SOCK_SEQPACKET with 0 is SCTP.
 */
export const SOCKET: Rule = {
  clauses: [
    { when: [{ arg: 0, in: [k.AF_UNIX] }], verdict: 'allow' },
    {
      when: [INTERNET, { arg: 1, mask: SOCK_TYPE_MASK, in: [k.SOCK_RAW, k.SOCK_PACKET] }],
      verdict: 'EPERM',
    },
    {
      when: [
        INTERNET,
        { arg: 1, mask: SOCK_TYPE_MASK, in: [k.SOCK_STREAM, k.SOCK_DGRAM] },
        {
          arg: 2,
          in: [0, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_ICMPV6, IPPROTO_MPTCP],
        },
      ],
      verdict: 'allow',
    },
    {
      when: [INTERNET, { arg: 1, mask: SOCK_TYPE_MASK, in: [k.SOCK_STREAM, k.SOCK_DGRAM] }],
      verdict: 'EPROTONOSUPPORT',
    },
    { when: [INTERNET], verdict: 'ESOCKTNOSUPPORT' },
    {
      when: [
        { arg: 0, in: [k.AF_NETLINK] },
        { arg: 2, in: [k.NETLINK_ROUTE] },
      ],
      verdict: 'allow',
    },
    { when: [{ arg: 0, in: [k.AF_NETLINK] }], verdict: 'EPROTONOSUPPORT' },
  ],
  otherwise: 'EAFNOSUPPORT',
}

/**
 * Protects the limits of init. Root of the box has init's ids, which is all that prlimit(2) checks, and an init that
 * may open or map nothing accepts no more commands. The limits of other processes are the box's own affair.
 */
export const PRLIMIT: Rule = {
  clauses: [{ when: [{ arg: 0, in: [1] }], verdict: 'EPERM' }],
  otherwise: 'allow',
}

/**
 * No leases and no change notifications (F_SETLEASE, F_NOTIFY; fcntl(2)). A process that opens a leased file waits for
 * up to 45 s (/proc/sys/fs/lease-break-time), also a program of the host, and even a file that is read-only here can be
 * leased. The kernel has no limit on watches of F_NOTIFY and walks all of a folder's at each change there, by anybody:
 * four processes made changes in a folder four times slower within 25 s. EINVAL is the answer of a kernel without it;
 * inotify has a limit and stays.
 */
export const FCNTL: Rule = {
  clauses: [{ when: [{ arg: 1, in: [1024, 1026] }], verdict: 'EINVAL' }],
  otherwise: 'allow',
}

/** PER_LINUX32, UNAME26, ADDR_NO_RANDOMIZE (personality(2)): setarch and gdb. */
const PERSONALITIES = 0x8 | 0x20000 | 0x40000

/** Excludes READ_IMPLIES_EXEC, MMAP_PAGE_ZERO and others that weaken a program's memory protection. -1 only queries. */
export const PERSONALITY: Rule = {
  clauses: [
    { when: [{ arg: 0, mask: ~PERSONALITIES, in: [0] }], verdict: 'allow' },
    { when: [{ arg: 0, in: [0xffff_ffff] }], verdict: 'allow' },
  ],
  otherwise: 'EPERM',
}

/** The kernel refuses devices without MKNOD, too. Character device 0:0 is overlayfs's whiteout and not a device. */
function mknod(mode: 1 | 2, device: 2 | 3): Rule {
  return {
    clauses: [
      {
        when: [
          { arg: mode, mask: k.S_IFMT, in: [k.S_IFCHR] },
          { arg: device, in: [0] },
        ],
        verdict: 'allow',
      },
      { when: [{ arg: mode, mask: k.S_IFMT, in: [k.S_IFCHR, k.S_IFBLK] }], verdict: 'EPERM' },
    ],
    otherwise: 'allow',
  }
}

export const MKNOD = mknod(1, 2)
export const MKNODAT = mknod(2, 3)

const MARKS: readonly number[] = [0o2000, 0o4000, 0o6000] // S_ISGID, S_ISUID, both
const S_ISUGID = 0o6000
const O_TMPFILE_BIT = 0o20000000 // __O_TMPFILE; the same on both architectures

/** Refuses a mode argument with a setuid or setgid mark. */
function unmarked(mode: 0 | 1 | 2 | 3): Rule {
  return {
    clauses: [{ when: [{ arg: mode, mask: S_ISUGID, in: MARKS }], verdict: 'EPERM' }],
    otherwise: 'allow',
  }
}

/** The same where the mode counts only if a file is created: otherwise the register holds an arbitrary value. */
function unmarkedWhenMade(flags: 1 | 2, mode: 2 | 3): Rule {
  const marked = { arg: mode, mask: S_ISUGID, in: MARKS }
  return {
    clauses: [
      { when: [{ arg: flags, mask: k.O_CREAT, in: [k.O_CREAT] }, marked], verdict: 'EPERM' },
      { when: [{ arg: flags, mask: O_TMPFILE_BIT, in: [O_TMPFILE_BIT] }, marked], verdict: 'EPERM' },
    ],
    otherwise: 'allow',
  }
}

const withMarks = (rule: Rule, mode: 1 | 2): Rule => ({
  clauses: [{ when: [{ arg: mode, mask: S_ISUGID, in: MARKS }], verdict: 'EPERM' }, ...rule.clauses],
  otherwise: rule.otherwise,
})

/**
 * For a box with a workspace of root: a file that its root marks there would be setuid root for every host user who
 * reaches it. openat2 takes its mode by pointer, which a filter cannot follow; programs fall back to other calls.
 */
export const NO_MARKS: Readonly<Record<string, Rule | Verdict>> = {
  chmod: unmarked(1),
  fchmod: unmarked(1),
  fchmodat: unmarked(2),
  fchmodat2: unmarked(2),
  creat: unmarked(1),
  open: unmarkedWhenMade(1, 2),
  openat: unmarkedWhenMade(2, 3),
  openat2: 'ENOSYS',
  mknod: withMarks(MKNOD, 1),
  mknodat: withMarks(MKNODAT, 2),
}
