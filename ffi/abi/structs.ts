/**
 * Structs of the kernel's interface as bytes, little-endian, with the same layout on x86_64 and aarch64. Structs that
 * hold pointers are given as offsets: the caller knows the addresses and fills them in.
 */
import { AF_INET, AF_INET6, AF_UNIX, LINUX_CAPABILITY_VERSION_3, S_IFMT } from './constants.ts'
import { abi } from './index.ts'

function u64s(...values: (number | bigint)[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values.map(BigInt)).buffer)
}

function u32s(...values: number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer)
}

/** The two `struct timespec` of utimensat(2): access and modification time, both the same. */
export function timespecs(time: { seconds: number; nanoseconds: number }): Uint8Array {
  const one = [BigInt(time.seconds), BigInt(time.nanoseconds)]
  return new Uint8Array(new BigInt64Array([...one, ...one]).buffer)
}

/** openat2(2), 24 bytes. The kernel refuses a mode unless flags create a file. */
export function openHow(how: { flags: number; mode?: number; resolve?: number }): Uint8Array {
  return u64s(how.flags, how.mode ?? 0, how.resolve ?? 0)
}

/** mount_setattr(2), 32 bytes. `usernsFd` takes effect only with MOUNT_ATTR_IDMAP. */
export function mountAttr(attr: {
  set?: number
  clear?: number
  propagation?: number
  usernsFd?: number
}): Uint8Array {
  return u64s(attr.set ?? 0, attr.clear ?? 0, attr.propagation ?? 0, attr.usernsFd ?? 0)
}

/** `struct clone_args` of clone3(2), 88 bytes. */
export function cloneArgs(args: { flags: number; exitSignal: number; cgroup: number }): Uint8Array {
  return u64s(args.flags, 0, 0, 0, args.exitSignal, 0, 0, 0, 0, 0, args.cgroup)
}

/** RLIM64_INFINITY of prlimit64. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn

/** `struct rlimit64` of prlimit(2), 16 bytes. */
export function rlimit64(soft: number | bigint, hard: number | bigint = soft): Uint8Array {
  return u64s(soft, hard)
}

/** Header of capset(2), 8 bytes; pid 0 is the caller. */
export function capHeader(pid = 0): Uint8Array {
  return u32s(LINUX_CAPABILITY_VERSION_3, pid)
}

/** Data of capset(2), version 3, 24 bytes: the low halves of the three masks, then their high halves. */
export function capData(sets: { effective: bigint; permitted: bigint; inheritable: bigint }): Uint8Array {
  const all = [sets.effective, sets.permitted, sets.inheritable]
  return u32s(
    ...all.map((mask) => Number(mask & 0xffff_ffffn)),
    ...all.map((mask) => Number((mask >> 32n) & 0xffff_ffffn)),
  )
}

/** The size of a terminal's window, in character cells. */
export interface WindowSize {
  readonly columns: number
  readonly rows: number
  /** All of it in pixels, which programs divide by columns and rows to draw images; absent when not known. */
  readonly width?: number | undefined
  readonly height?: number | undefined
}

/** `struct winsize` of TIOCSWINSZ (ioctl_tty(2)), 8 bytes; unknown pixels are 0. */
export function winsize({ columns, rows, width = 0, height = 0 }: WindowSize): Uint8Array {
  return new Uint8Array(new Uint16Array([rows, columns, width, height]).buffer)
}

/** `struct landlock_ruleset_attr` in the size that the kernel's ABI version knows (landlock(7)): 8, 16 or 24 bytes. */
export function landlockRuleset(
  attr: { fs?: bigint; net?: bigint; scoped?: number },
  version: number,
): Uint8Array {
  const size = version >= 6 ? 24 : version >= 4 ? 16 : 8
  return u64s(attr.fs ?? 0n, attr.net ?? 0n, attr.scoped ?? 0).subarray(0, size)
}

/** Bytes for the path in sockaddr_un, including its closing NUL (unix(7)). */
export const UNIX_PATH_MAX = 108

/** `struct sockaddr_un` of a path; one that begins with NUL is an abstract name and gets no closing NUL. */
export function sockaddrUn(path: string): Uint8Array {
  const name = new TextEncoder().encode(path)
  const abstract = name[0] === 0
  if (!abstract && name.includes(0)) throw new RangeError('a socket path cannot contain NUL')
  const room = abstract ? UNIX_PATH_MAX : UNIX_PATH_MAX - 1
  if (name.length > room) throw new RangeError(`a socket path has at most ${room} bytes, not ${name.length}`)
  const address = new Uint8Array(2 + name.length + (abstract ? 0 : 1))
  new DataView(address.buffer).setUint16(0, AF_UNIX, true)
  address.set(name, 2)
  return address
}

/** `struct sockaddr_in` (ip(7)) of four bytes, or `struct sockaddr_in6` (ipv6(7)) of sixteen. */
export function sockaddrIn(address: Uint8Array, port: number): Uint8Array {
  const isOld = address.length === 4
  const bytes = new Uint8Array(isOld ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, isOld ? AF_INET : AF_INET6, true)
  view.setUint16(2, port)
  bytes.set(address, isOld ? 4 : 8)
  return bytes
}

/** `struct sock_fprog` of seccomp(2). */
export const SOCK_FPROG = { size: 16, len: 0, filter: 8 } as const

/** The kernel's own `struct termios` of TCGETS and TCSETS, not glibc's longer one. */
export const TERMIOS = { size: 36, iflag: 0, oflag: 4, cflag: 8, lflag: 12, line: 16, cc: 17 } as const

/** `struct iovec`. */
export const IOVEC = { size: 16, base: 0, len: 8 } as const

/** `struct msghdr` of sendmsg(2) and recvmsg(2). */
export const MSGHDR = {
  size: 56,
  name: 0,
  namelen: 8,
  iov: 16,
  iovlen: 24,
  control: 32,
  controllen: 40,
  flags: 48,
} as const

/** `struct cmsghdr`; the descriptors of SCM_RIGHTS follow at `data`, 4 bytes each (cmsg(3)). */
export const CMSGHDR = { size: 16, len: 0, level: 8, type: 12, data: 16 } as const

/** CMSG_LEN and CMSG_SPACE for a number of descriptors. */
export function rightsSize(fds: number): { len: number; space: number } {
  const len = CMSGHDR.data + 4 * fds
  return { len, space: (len + 7) & ~7 }
}

/** Offsets of the fields of `struct statx` that coop reads (statx(2)). */
export const STATX = {
  size: 256,
  mask: 0,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  ino: 32,
  fileSize: 40,
  blocks: 48,
  btime: 80,
  mtime: 112,
  devMajor: 136,
  devMinor: 140,
  mntId: 144,
} as const

export interface Statx {
  /** Type and permissions: S_IF* and the lowest 12 bits. */
  readonly mode: number
  /** One of S_IF*. */
  readonly type: number
  /** 64 bits: some file systems use all of them. */
  readonly ino: bigint
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly size: bigint
  /** Blocks on disk, 512 bytes each. */
  readonly blocks: bigint
  /** Last change of the content: seconds since 1970, which may be negative, and nanoseconds. */
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number }
  /** Nanoseconds since 1970 of its birth; 0 when that was not asked for, or the file system does not know. */
  readonly birth: bigint
  readonly devMajor: number
  readonly devMinor: number
}

/** Decodes the result of statx(2). */
export function decodeStatx(bytes: Uint8Array): Statx {
  if (bytes.length < STATX.size) throw new RangeError(`struct statx has ${STATX.size} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mode = view.getUint16(STATX.mode, true)
  return {
    mode,
    type: mode & S_IFMT,
    ino: view.getBigUint64(STATX.ino, true),
    nlink: view.getUint32(STATX.nlink, true),
    uid: view.getUint32(STATX.uid, true),
    gid: view.getUint32(STATX.gid, true),
    size: view.getBigUint64(STATX.fileSize, true),
    blocks: view.getBigUint64(STATX.blocks, true),
    mtime: {
      seconds: Number(view.getBigInt64(STATX.mtime, true)),
      nanoseconds: view.getUint32(STATX.mtime + 8, true),
    },
    birth:
      view.getBigInt64(STATX.btime, true) * 1_000_000_000n + BigInt(view.getUint32(STATX.btime + 8, true)),
    devMajor: view.getUint32(STATX.devMajor, true),
    devMinor: view.getUint32(STATX.devMinor, true),
  }
}

/** `struct epoll_event` of epoll_ctl(2): packed on x86_64 only. */
export const EPOLL_EVENT_SIZE = abi.arch === 'x86_64' ? 12 : 16

/** The offset of its `data`. */
export const EPOLL_EVENT_DATA = EPOLL_EVENT_SIZE - 8

export function epollEvent(events: number, data: number): Uint8Array {
  const event = new Uint8Array(EPOLL_EVENT_SIZE)
  const view = new DataView(event.buffer)
  view.setUint32(0, events, true)
  view.setBigUint64(EPOLL_EVENT_DATA, BigInt(data), true)
  return event
}

/** `struct statfs` of fstatfs(2), in bytes. */
export const STATFS_SIZE = 120

const KERNEL_FILE_SYSTEMS: readonly number[] = [
  0x9fa0, // proc
  0x62656572, // sysfs
  0x1cd1, // devpts
  0x63677270, // cgroup2
  0x27e0eb, // cgroup
]

/** Whether fstatfs(2) found a file system whose files the kernel generates when they are opened. */
export function isKernelFileSystem(statfs: Uint8Array): boolean {
  const view = new DataView(statfs.buffer, statfs.byteOffset, statfs.byteLength)
  return KERNEL_FILE_SYSTEMS.includes(Number(view.getBigInt64(0, true)))
}
