import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as constants from './constants.ts'
import { ERRNO, ERRNO_NUMBERS, errnoName, errnoText } from './errno.ts'
import { FIRST_SYSCALLS } from './first-syscalls.ts'
import { ABIS, abi, abiOf } from './index.ts'
import * as structs from './structs.ts'
import { SYSCALLS_AARCH64 } from './syscalls-aarch64.ts'
import { SYSCALLS_X86_64 } from './syscalls-x86_64.ts'

const cc = Bun.which('cc') ?? Bun.which('gcc')

/** Compiles a program; its files are removed when the caller is done. */
function compile(args: string[], source: string) {
  const dir = mkdtempSync(join(tmpdir(), 'coop-abi-'))
  writeFileSync(join(dir, 'a.c'), source)
  const program = join(dir, 'a.out')
  const made = Bun.spawnSync([cc ?? 'cc', '-w', ...args, join(dir, 'a.c'), '-o', program])
  const errors = made.exitCode === 0 ? '' : made.stderr.toString()
  return { errors, program, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

/** The values in the headers of those names that they know. */
function asHeadersSay(includes: string[], names: string[], enumerators: string[] = []): Map<string, number> {
  const print = (name: string) => `printf("${name} %lld\\n", (long long)(${name}));`
  using built = compile(
    [],
    [
      '#define _GNU_SOURCE\n#include <stdio.h>',
      ...includes.map((header) => `#include <${header}>`),
      'int main(void) {',
      ...names.map((name) => `#ifdef ${name}\n${print(name)}\n#endif`),
      ...enumerators.map(print),
      'return 0; }',
    ].join('\n'),
  )
  if (built.errors) throw new Error(built.errors)
  const output = Bun.spawnSync([built.program]).stdout.toString()
  return new Map(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name = '', value]) => [name, Number(value)]),
  )
}

function compare(ours: Readonly<Record<string, number>>, theirs: Map<string, number>): number {
  const wrong = [...theirs].filter(([name, value]) => ours[name] !== value)
  expect(wrong.map(([name, value]) => `${name}: headers ${value}, here ${ours[name]}`)).toEqual([])
  return theirs.size
}

function compareSyscalls(table: Readonly<Record<string, number>>, includes: string[]): number {
  const named = Object.fromEntries(Object.entries(table).map(([name, nr]) => [`__NR_${name}`, nr]))
  return compare(named, asHeadersSay(includes, Object.keys(named)))
}

const NATIVE = { x86_64: SYSCALLS_X86_64, aarch64: SYSCALLS_AARCH64 }

test.skipIf(!cc)('the table of this architecture agrees with asm/unistd.h (needs a C compiler)', () => {
  expect(compareSyscalls(NATIVE[abi.arch], ['asm/unistd.h'])).toBeGreaterThanOrEqual(300)
})

// The parts of the generic table that arch/arm64/include/uapi/asm/unistd.h selects.
const ARM64 = [
  '-D__ARCH_WANT_RENAMEAT',
  '-D__ARCH_WANT_NEW_STAT',
  '-D__ARCH_WANT_SET_GET_RLIMIT',
  '-D__ARCH_WANT_SYS_CLONE3',
  '-D__ARCH_WANT_MEMFD_SECRET',
]

const generic = cc && existsSync('/usr/include/asm-generic/unistd.h')

test.skipIf(!generic)(
  'the table of aarch64 agrees with asm-generic/unistd.h (needs it and a C compiler)',
  () => {
    const lines = Object.keys(SYSCALLS_AARCH64).map(
      (name) => `#ifdef __NR_${name}\nCALL "${name}" __NR_${name}\n#endif`,
    )
    using built = compile(['-E', '-P', ...ARM64], ['#include <asm-generic/unistd.h>', ...lines].join('\n'))
    expect(built.errors).toBe('')
    const found = readFileSync(built.program, 'utf8').matchAll(/^CALL "(\w+)" (\d+)$/gm)
    const theirs = new Map([...found].map(([, name = '', nr]) => [name, Number(nr)]))
    expect(compare(SYSCALLS_AARCH64, theirs)).toBeGreaterThanOrEqual(280)
  },
)

test('the tables have no number twice, and the new calls have one number on both', () => {
  for (const table of [SYSCALLS_X86_64, SYSCALLS_AARCH64]) {
    const numbers = Object.values(table)
    expect(new Set(numbers).size).toBe(numbers.length)
    for (let nr = 424; nr <= 469; nr++) expect(numbers).toContain(nr as never)
  }
  const arm: Readonly<Record<string, number>> = SYSCALLS_AARCH64
  const fresh = Object.entries(SYSCALLS_X86_64).filter(([, nr]) => nr >= 424)
  expect(fresh.filter(([name, nr]) => arm[name] !== nr)).toEqual([])
})

const ENUMERATORS = Object.keys(constants).filter((name) => name.startsWith('FSCONFIG_'))
const KERNEL_HEADERS = [
  'capability',
  'prctl',
  'seccomp',
  'landlock',
  'sched',
  'openat2',
  'stat',
  'mount',
  'close_range',
]
  .map((name) => `linux/${name}.h`)
  .concat('asm/ioctls.h', 'linux/ioctl.h', 'linux/fcntl.h', 'linux/netlink.h')
const LIBC_HEADERS = [
  'fcntl',
  'poll',
  'signal',
  'sched',
  'sys/file',
  'sys/mount',
  'sys/resource',
  'sys/socket',
  'sys/stat',
]
  .map((name) => `${name}.h`)
  .concat('sys/ioctl.h')

test.skipIf(!cc)(
  'flags and ioctls agree with the headers of kernel and C library (needs a C compiler)',
  () => {
    const ours: Readonly<Record<string, number>> = {
      ...constants,
      O_DIRECTORY: abi.O_DIRECTORY,
      O_NOFOLLOW: abi.O_NOFOLLOW,
      O_DIRECT: abi.O_DIRECT,
      O_TMPFILE: abi.O_TMPFILE,
    }
    const kernel = asHeadersSay(KERNEL_HEADERS, Object.keys(ours), ENUMERATORS)
    const libc = asHeadersSay(LIBC_HEADERS, Object.keys(ours))
    compare(ours, kernel)
    compare(ours, libc)
    expect(new Set([...kernel.keys(), ...libc.keys()]).size).toBeGreaterThanOrEqual(150)
    const large = asHeadersSay(['asm/fcntl.h'], ['O_LARGEFILE'])
    compare({ O_LARGEFILE: abi.O_LARGEFILE }, large)
  },
)

test.skipIf(!cc)('error numbers agree with asm/errno.h (needs a C compiler)', () => {
  expect(compare(ERRNO_NUMBERS, asHeadersSay(['asm/errno.h'], Object.keys(ERRNO_NUMBERS)))).toBe(131)
})

test.skipIf(!cc)('audit architectures agree with linux/audit.h (needs a C compiler)', () => {
  const ours = { AUDIT_ARCH_X86_64: ABIS.x86_64.auditArch, AUDIT_ARCH_AARCH64: ABIS.aarch64.auditArch }
  expect(compare(ours, asHeadersSay(['linux/audit.h', 'elf.h'], Object.keys(ours)))).toBe(2)
})

/** Size and offsets by the C names. */
function layout(type: string, size: number, fields: Record<string, number>): Record<string, number> {
  const offsets = Object.entries(fields).map(([name, at]) => [`offsetof(${type}, ${name})`, at])
  return { [`sizeof(${type})`]: size, ...Object.fromEntries(offsets) }
}

function compareLayouts(includes: string[], ...layouts: Record<string, number>[]): void {
  const ours: Record<string, number> = Object.assign({}, ...layouts)
  const expressions = Object.keys(ours)
  const defines = expressions.map((expression, index) => `#define C${index} ${expression}`)
  using built = compile(
    [],
    [
      '#define _GNU_SOURCE\n#include <stdio.h>\n#include <stddef.h>',
      ...includes.map((header) => `#include <${header}>`),
      ...defines,
      'int main(void) {',
      ...expressions.map((_, index) => `printf("%ld\\n", (long)(C${index}));`),
      'return 0; }',
    ].join('\n'),
  )
  expect(built.errors).toBe('')
  const values = Bun.spawnSync([built.program]).stdout.toString().trim().split('\n').map(Number)
  expect(Object.fromEntries(expressions.map((name, index) => [name, values[index] ?? -1]))).toEqual(ours)
}

test.skipIf(!cc)('structs are laid out as in the headers (needs a C compiler)', () => {
  const { SOCK_FPROG, TERMIOS, IOVEC, MSGHDR, CMSGHDR, STATX } = structs
  compareLayouts(
    [
      'linux/filter.h',
      'asm/termbits.h',
      'linux/openat2.h',
      'linux/mount.h',
      'linux/stat.h',
      'linux/capability.h',
    ],
    layout('struct sock_fprog', SOCK_FPROG.size, { len: SOCK_FPROG.len, filter: SOCK_FPROG.filter }),
    layout('struct termios', TERMIOS.size, {
      c_iflag: TERMIOS.iflag,
      c_oflag: TERMIOS.oflag,
      c_cflag: TERMIOS.cflag,
      c_lflag: TERMIOS.lflag,
      c_line: TERMIOS.line,
      c_cc: TERMIOS.cc,
    }),
    layout('struct open_how', structs.openHow({ flags: 0 }).length, { flags: 0, mode: 8, resolve: 16 }),
    layout('struct mount_attr', structs.mountAttr({}).length, {
      attr_set: 0,
      attr_clr: 8,
      propagation: 16,
      userns_fd: 24,
    }),
    layout('struct statx', STATX.size, {
      stx_mask: STATX.mask,
      stx_nlink: STATX.nlink,
      stx_uid: STATX.uid,
      stx_gid: STATX.gid,
      stx_mode: STATX.mode,
      stx_ino: STATX.ino,
      stx_size: STATX.fileSize,
      stx_dev_major: STATX.devMajor,
      stx_dev_minor: STATX.devMinor,
      stx_mnt_id: STATX.mntId,
    }),
    { 'sizeof(struct __user_cap_header_struct)': 8, 'sizeof(struct __user_cap_data_struct)': 12 },
  )
  compareLayouts(
    ['sys/socket.h', 'sys/un.h', 'sys/uio.h', 'sys/ioctl.h', 'sys/resource.h'],
    layout('struct iovec', IOVEC.size, { iov_base: IOVEC.base, iov_len: IOVEC.len }),
    layout('struct msghdr', MSGHDR.size, {
      msg_name: MSGHDR.name,
      msg_namelen: MSGHDR.namelen,
      msg_iov: MSGHDR.iov,
      msg_iovlen: MSGHDR.iovlen,
      msg_control: MSGHDR.control,
      msg_controllen: MSGHDR.controllen,
      msg_flags: MSGHDR.flags,
    }),
    layout('struct cmsghdr', CMSGHDR.size, {
      cmsg_len: CMSGHDR.len,
      cmsg_level: CMSGHDR.level,
      cmsg_type: CMSGHDR.type,
    }),
    layout('struct winsize', structs.winsize({ rows: 1, columns: 1 }).length, { ws_row: 0, ws_col: 2 }),
    { 'CMSG_LEN(12)': structs.rightsSize(3).len, 'CMSG_SPACE(12)': structs.rightsSize(3).space },
    { 'sizeof(((struct sockaddr_un *)0)->sun_path)': structs.UNIX_PATH_MAX, 'sizeof(struct rlimit64)': 16 },
  )
})

test('structs are encoded little-endian, with 64 bits where the kernel has them', () => {
  const words = (bytes: Uint8Array) => [
    ...new BigUint64Array(bytes.buffer.slice(0, bytes.length) as ArrayBuffer),
  ]
  expect(words(structs.openHow({ flags: 5, resolve: 16 }))).toEqual([5n, 0n, 16n])
  expect(words(structs.mountAttr({ set: 1, clear: 2, propagation: 3, usernsFd: 4 }))).toEqual([
    1n,
    2n,
    3n,
    4n,
  ])
  expect(words(structs.rlimit64(7, structs.RLIM_INFINITY))).toEqual([7n, 2n ** 64n - 1n])
  expect([...structs.winsize({ rows: 24, columns: 300 })]).toEqual([24, 0, 44, 1, 0, 0, 0, 0])
  const sets = { effective: 1n, permitted: 1n << 40n, inheritable: 3n }
  expect([...new Uint32Array(structs.capData(sets).buffer)]).toEqual([1, 0, 3, 0, 256, 0])
  expect([...new Uint32Array(structs.capHeader().buffer)]).toEqual([0x20080522, 0])
  expect([1, 4, 6].map((version) => structs.landlockRuleset({ scoped: 1 }, version).length)).toEqual([
    8, 16, 24,
  ])
})

test('a socket path ends with NUL, an abstract one does not, and neither is cut', () => {
  expect([...structs.sockaddrUn('/a')]).toEqual([1, 0, 47, 97, 0])
  expect([...structs.sockaddrUn('\0a')]).toEqual([1, 0, 0, 97])
  expect(structs.sockaddrUn('x'.repeat(107)).length).toBe(110)
  expect(() => structs.sockaddrUn('x'.repeat(108))).toThrow('107')
  expect(() => structs.sockaddrUn('/a\0b')).toThrow('NUL')
})

test('statx is read from any place in a buffer', () => {
  const buffer = new Uint8Array(300)
  const view = new DataView(buffer.buffer, 40)
  view.setUint16(structs.STATX.mode, 0o100644, true)
  view.setBigUint64(structs.STATX.ino, 2n ** 63n + 1n, true)
  view.setUint32(structs.STATX.devMinor, 9, true)
  const stat = structs.decodeStatx(buffer.subarray(40, 296))
  expect(stat).toMatchObject({ mode: 0o100644, type: constants.S_IFREG, ino: 2n ** 63n + 1n, devMinor: 9 })
  expect(() => structs.decodeStatx(buffer.subarray(100))).toThrow('256')
})

test('errors are named and worded', () => {
  expect(Object.keys(ERRNO).length).toBe(Object.keys(ERRNO_NUMBERS).length)
  expect(errnoName(2)).toBe('ENOENT')
  expect(errnoName(999)).toBe('errno 999')
  expect(errnoText(2)).toBe('no such file or folder (ENOENT)')
  expect(errnoText(999)).toBe('errno 999')
})

test('an architecture without tables is refused by name', () => {
  expect(abiOf('x64').arch).toBe('x86_64')
  expect(abiOf('arm64').arch).toBe('aarch64')
  expect(() => abiOf('riscv64')).toThrow('riscv64')
})

test('the numbers that are known at once are those of the tables', () => {
  for (const arch of ['x86_64', 'aarch64'] as const)
    expect(ABIS[arch].sys).toMatchObject(FIRST_SYSCALLS[arch])
})
