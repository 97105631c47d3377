import { expect, test } from 'bun:test'
import * as k from '../../../ffi/abi/constants.ts'
import { ABIS, type Arch } from '../../../ffi/abi/index.ts'
import { FILE_SYSTEM_IOCTLS } from '../file-system-ioctls.ts'
import { INSTRUCTION_SIZE, runBpf } from './bpf.ts'
import { policy } from './policy.ts'
import { CLONE_NAMESPACES, type Verdict } from './rules.ts'
import { returnValue, seccompProgram } from './seccomp.ts'

type Args = readonly (number | bigint)[]
interface Options {
  readonly nested?: boolean
  readonly ptrace?: boolean
}

const ARCHES = Object.keys(ABIS) as Arch[]
const HIGH = 0xdead_beef_0000_0000n

/** One filter as a function: the verdict's return value for a call by name or number. */
function filter(arch: Arch, { nested = false, ptrace = true }: Options = {}) {
  const program = seccompProgram({ arch, nested, ptrace })
  const { auditArch, sys } = ABIS[arch]
  const numbers: Readonly<Record<string, number>> = sys
  const run = (call: string | number, args: Args = []) => {
    const nr = typeof call === 'number' ? call : numbers[call]
    if (nr === undefined) throw new Error(`${arch} has no ${call}`)
    return runBpf(program, { nr, arch: auditArch, args })
  }
  return {
    program,
    numbers,
    run,
    expects: (verdict: Verdict, call: string | number, args: Args = []) =>
      expect([call, args, run(call, args).value]).toEqual([call, args, returnValue(verdict)]),
  }
}

for (const arch of ARCHES) {
  const box = filter(arch)

  test(`${arch}: every number from 0 to 1000 gets what the policy says`, () => {
    for (const nested of [false, true])
      for (const ptrace of [false, true]) {
        const { numbers, run } = filter(arch, { nested, ptrace })
        const decisions = new Map(
          [...policy({ nested, ptrace })].map(([name, verdict]) => [numbers[name], verdict]),
        )
        for (let nr = 0; nr <= 1000; nr++) {
          const verdict = decisions.get(nr) ?? 'ENOSYS'
          if (typeof verdict === 'string') expect([nr, run(nr).value]).toEqual([nr, returnValue(verdict)])
        }
      }
  })

  test(`${arch}: newer and negative numbers do not exist`, () => {
    for (const nr of [470, 500, 1024, 0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, -1, -2])
      box.expects('ENOSYS', nr)
  })

  test(`${arch}: a call of another architecture kills`, () => {
    const foreign = [
      0x40000003,
      0x40000028,
      0xc00000f3,
      0,
      ...ARCHES.filter((a) => a !== arch).map((a) => ABIS[a].auditArch),
    ]
    for (const audit of foreign)
      for (const nr of [0, 1, 63, 10_000])
        expect(runBpf(box.program, { nr, arch: audit }).value).toBe(k.SECCOMP_RET_KILL_PROCESS)
  })

  test(`${arch}: dangerous calls are refused`, () => {
    for (const call of ['bpf', 'perf_event_open', 'userfaultfd']) box.expects('EPERM', call)
    for (const call of [
      'io_uring_setup',
      'io_uring_enter',
      'io_uring_register',
      'keyctl',
      'add_key',
      'request_key',
    ])
      box.expects('ENOSYS', call)
    for (const call of [
      'open_by_handle_at',
      'name_to_handle_at',
      'kexec_load',
      'init_module',
      'finit_module',
    ])
      box.expects('EPERM', call)
    for (const call of [
      'reboot',
      'swapon',
      'syslog',
      'acct',
      'quotactl',
      'settimeofday',
      'clock_settime',
      'adjtimex',
    ])
      box.expects('EPERM', call)
    for (const call of [
      'mount',
      'umount2',
      'pivot_root',
      'setns',
      'fsopen',
      'move_mount',
      'open_tree',
      'mount_setattr',
    ])
      box.expects('EPERM', call)
  })

  test(`${arch}: whole file systems are out of reach of ioctl, whatever the upper half`, () => {
    for (const request of Object.values(FILE_SYSTEM_IOCTLS))
      for (const switches of [{}, { nested: true }]) {
        const { expects } = filter(arch, switches)
        expects('EPERM', 'ioctl', [3, request])
        expects('EPERM', 'ioctl', [3, HIGH | BigInt(request)])
      }
    // FICLONE, FICLONERANGE, FIDEDUPERANGE, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FIONREAD
    for (const request of [0x4004_9409, 0x4020_940d, 0xc018_9436, 0x8008_6601, 0x4008_6602, 0x541b])
      box.expects('allow', 'ioctl', [3, request])
  })

  test(`${arch}: clone makes threads and processes, no namespaces`, () => {
    const thread = 0x3d0f00
    for (const flags of [k.SIGCHLD, 0, thread, 0x4111]) box.expects('allow', 'clone', [flags])
    box.expects('allow', 'clone', [HIGH | BigInt(thread)])
    for (let bit = 0; bit < 32; bit++) {
      const flag = 2 ** bit
      const verdict = flag & CLONE_NAMESPACES ? 'EPERM' : 'allow'
      box.expects(verdict, 'clone', [flag])
      box.expects(verdict, 'clone', [HIGH + BigInt(flag) + 17n])
    }
    box.expects('ENOSYS', 'clone3', [0, 88])
    // Architectures whose flags are the second argument (s390) are not supported.
    box.expects('allow', 'clone', [k.SIGCHLD, CLONE_NAMESPACES])
  })

  test(`${arch}: unshare takes apart what threads share, and makes no namespace, time included`, () => {
    for (const flags of [0x400, 0x200, 0x40000, 0x10000, 0]) box.expects('allow', 'unshare', [flags])
    for (const flag of [
      k.CLONE_NEWTIME,
      k.CLONE_NEWUSER,
      k.CLONE_NEWNS,
      k.CLONE_NEWNET | 0x400,
      k.CLONE_NEWCGROUP,
    ]) {
      box.expects('EPERM', 'unshare', [flag])
      box.expects('EPERM', 'unshare', [HIGH | BigInt(flag)])
    }
  })

  test(`${arch}: nested boxes may, but still have no clone3, no keys and no netfilter`, () => {
    const nested = filter(arch, { nested: true })
    nested.expects('allow', 'clone', [(CLONE_NAMESPACES & ~k.CLONE_NEWCGROUP) | k.SIGCHLD])
    for (const call of ['clone', 'unshare'])
      for (const flags of [k.CLONE_NEWCGROUP, CLONE_NAMESPACES, k.CLONE_NEWCGROUP | k.SIGCHLD]) {
        nested.expects('EPERM', call, [flags])
        nested.expects('EPERM', call, [HIGH | BigInt(flags)])
      }
    for (const call of ['unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'move_mount'])
      nested.expects('allow', call, [k.CLONE_NEWUSER])
    nested.expects('ENOSYS', 'clone3')
    for (const call of ['bpf', 'open_by_handle_at']) nested.expects('EPERM', call)
    for (const call of ['io_uring_setup', 'keyctl']) nested.expects('ENOSYS', call)
    nested.expects('EPROTONOSUPPORT', 'socket', [k.AF_NETLINK, k.SOCK_RAW, 12])
    nested.expects('EPERM', 'ioctl', [0, k.TIOCSTI])
  })

  test(`${arch}: terminal injection is refused by the low 32 bits alone`, () => {
    for (const request of [k.TIOCSTI, k.TIOCLINUX, k.TIOCCONS, k.TIOCSETD])
      for (const high of [0n, 1n << 32n, HIGH, 0xffff_ffffn << 32n])
        box.expects('EPERM', 'ioctl', [0, high | BigInt(request), 0])
    for (const request of [
      k.TCGETS,
      k.TCSETSW,
      k.TIOCSWINSZ,
      k.TIOCGPTPEER,
      k.TIOCSCTTY,
      0x5421,
      0xc020660b,
      0,
    ])
      box.expects('allow', 'ioctl', [0, request])
    // A dangerous request number is harmless in another argument.
    box.expects('allow', 'ioctl', [k.TIOCSTI, k.TCGETS, k.TIOCSTI])
    box.expects('allow', 'ioctl', [0, BigInt(k.TIOCSTI) << 32n])
  })

  test(`${arch}: socket families are allowed one by one`, () => {
    const types = [
      k.SOCK_STREAM,
      k.SOCK_DGRAM | k.SOCK_CLOEXEC,
      k.SOCK_STREAM | k.SOCK_NONBLOCK | k.SOCK_CLOEXEC,
    ]
    for (const call of ['socket', 'socketpair'])
      for (const type of types) {
        for (const family of [k.AF_UNIX, k.AF_INET, k.AF_INET6, k.AF_NETLINK])
          box.expects('allow', call, [family, type, 0])
        for (let family = 0; family < 64; family++)
          if (![k.AF_UNIX, k.AF_INET, k.AF_INET6, k.AF_NETLINK].includes(family)) {
            box.expects('EAFNOSUPPORT', call, [family, type, 0])
            box.expects('EAFNOSUPPORT', call, [HIGH | BigInt(family), type, 0])
          }
      }
    box.expects('allow', 'socket', [HIGH | BigInt(k.AF_INET), k.SOCK_STREAM, 0])
  })

  test(`${arch}: raw internet sockets are refused, whatever else the type says`, () => {
    for (const family of [k.AF_INET, k.AF_INET6])
      for (const type of [k.SOCK_RAW, k.SOCK_PACKET])
        for (const more of [0, k.SOCK_CLOEXEC, k.SOCK_NONBLOCK, k.SOCK_CLOEXEC | k.SOCK_NONBLOCK])
          for (const high of [0n, HIGH])
            for (const protocol of [0, 1, 255])
              box.expects('EPERM', 'socket', [family, high | BigInt(type | more), protocol])
    box.expects('allow', 'socket', [k.AF_UNIX, k.SOCK_RAW, 0])
  })

  test(`${arch}: internet sockets are streams and datagrams, so that protocol 0 is never DCCP or SCTP`, () => {
    const others = Array.from({ length: 16 }, (_, type) => type).filter(
      (type) => ![1, 2, 3, 10].includes(type),
    )
    for (const call of ['socket', 'socketpair'])
      for (const family of [k.AF_INET, k.AF_INET6])
        for (const type of others)
          for (const more of [0n, BigInt(k.SOCK_CLOEXEC), HIGH])
            for (const protocol of [0, 6, 33, 132])
              box.expects('ESOCKTNOSUPPORT', call, [family, more | BigInt(type), protocol])
    box.expects('allow', 'socket', [k.AF_UNIX, k.SOCK_SEQPACKET, 0])
  })

  test(`${arch}: of protocols only those that are always in the kernel`, () => {
    for (const protocol of [0, 1, 6, 17, 58, 136, 262])
      box.expects('allow', 'socket', [k.AF_INET, k.SOCK_DGRAM, protocol])
    for (const protocol of [33, 115, 132, 256])
      box.expects('EPROTONOSUPPORT', 'socket', [k.AF_INET6, k.SOCK_DGRAM, protocol])
    for (let protocol = 1; protocol < 32; protocol++)
      box.expects('EPROTONOSUPPORT', 'socket', [
        k.AF_NETLINK,
        k.SOCK_RAW | k.SOCK_CLOEXEC,
        HIGH | BigInt(protocol),
      ])
  })

  test(`${arch}: personality knows setarch and gdb`, () => {
    for (const persona of [0, 8, 0x20000, 0x20008, 0x40000, 0x40008, 0xffff_ffff])
      box.expects('allow', 'personality', [persona])
    for (const persona of [0x400000, 0x100000, 0x200000, 0x440000, 1, 0xffff_fffe])
      box.expects('EPERM', 'personality', [persona])
  })

  test(`${arch}: FIFOs can be made, devices cannot, whiteouts can`, () => {
    for (const type of [k.S_IFIFO, k.S_IFSOCK, k.S_IFREG, 0])
      box.expects('allow', 'mknodat', [0, 0, type | 0o644, 5])
    box.expects('allow', 'mknodat', [0, 0, k.S_IFCHR | 0o600, 0])
    for (const type of [k.S_IFCHR, k.S_IFBLK]) box.expects('EPERM', 'mknodat', [0, 0, type | 0o600, 0x103])
    box.expects('EPERM', 'mknodat', [0, 0, k.S_IFBLK, 0])
    if (arch === 'x86_64') box.expects('EPERM', 'mknod', [0, k.S_IFCHR | 0o666, 0x103])
  })

  test(`${arch}: tracing has a switch`, () => {
    const off = filter(arch, { ptrace: false })
    for (const call of ['ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'kcmp']) {
      box.expects('allow', call)
      off.expects('EPERM', call)
    }
  })

  test(`${arch}: a common call costs few instructions, and the program is small`, () => {
    const calls = [
      'read',
      'write',
      'futex',
      'openat',
      'mmap',
      'close',
      'epoll_pwait',
      'clock_gettime',
      'newfstatat',
      'statx',
    ]
    const args: Readonly<Record<string, Args>> = {
      ioctl: [0, k.TCGETS],
      clone: [k.SIGCHLD],
      socket: [k.AF_INET, 1, 6],
    }
    for (const call of [...calls, ...Object.keys(args)])
      expect(box.run(call, args[call]).steps).toBeLessThan(40)
    for (const call of calls) expect(box.run(call).steps).toBeLessThan(16)
    expect(box.program.length / INSTRUCTION_SIZE).toBeLessThan(400)
  })
}

test('x32 calls do not exist, be the number without the bit allowed or not', () => {
  const { expects } = filter('x86_64')
  for (const nr of [0, 1, 39, 59, 56, 512, 520, 547]) expects('ENOSYS', 0x4000_0000 | nr)
})
