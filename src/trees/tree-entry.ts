/** Decodes the kernel's output about entries of a tree, and decides what a copy keeps. Pure. */
import * as k from '../../ffi/abi/constants.ts'
import { STATX } from '../../ffi/abi/structs.ts'

const BLOCK = 512 // bytes; the unit of stx_blocks, whatever the file system's unit is
// Offsets in struct statx (statx(2)) that only a whole copy needs.
const BLOCKS = 48
const ATIME = 64
const RDEV_MAJOR = 128
const RDEV_MINOR = 132
const D_TYPE = 18 // offsets in struct linux_dirent64 (getdents(2))
const D_NAME = 19

export interface TreeStat {
  /** One of S_IF*. */
  readonly type: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly links: number
  readonly size: number
  /** Bytes on disk. */
  readonly used: number
  /** Device and inode: two names with the same one are hard links. */
  readonly inode: string
  /** Character device 0:0, which overlayfs uses as a mark for deleted files. */
  readonly whiteout: boolean
  /** Two `struct timespec` for utimensat(2): access and modification time. */
  readonly times: Uint8Array
}

export function treeStat(bytes: Uint8Array): TreeStat {
  const view = new DataView(bytes.buffer, bytes.byteOffset, STATX.size)
  const mode = view.getUint16(STATX.mode, true)
  const times = new DataView(new ArrayBuffer(32))
  for (const [index, at] of [ATIME, STATX.mtime].entries()) {
    times.setBigInt64(16 * index, view.getBigInt64(at, true), true)
    times.setBigInt64(16 * index + 8, BigInt(view.getUint32(at + 8, true)), true)
  }
  const device = `${view.getUint32(STATX.devMajor, true)}:${view.getUint32(STATX.devMinor, true)}`
  const type = mode & k.S_IFMT
  const rdev = view.getUint32(RDEV_MAJOR, true) + view.getUint32(RDEV_MINOR, true)
  return {
    type,
    mode: mode & 0o7777,
    uid: view.getUint32(STATX.uid, true),
    gid: view.getUint32(STATX.gid, true),
    links: view.getUint32(STATX.nlink, true),
    size: Number(view.getBigUint64(STATX.fileSize, true)),
    used: Number(view.getBigUint64(BLOCKS, true)) * BLOCK,
    inode: `${device}:${view.getBigUint64(STATX.ino, true)}`,
    whiteout: type === k.S_IFCHR && rdev === 0,
    times: new Uint8Array(times.buffer),
  }
}

export interface Listed {
  /** Includes its closing NUL, because only the kernel reads it. */
  readonly name: Buffer
  /** One of S_IF*. Overlayfs needs a file system that reports it (d_type). */
  readonly type: number
}

/** The output of getdents64, without `.` and `..`. */
export function listed(bytes: Buffer): Listed[] {
  const found: Listed[] = []
  for (let at = 0; at + D_NAME < bytes.length; ) {
    const length = bytes.readUInt16LE(at + 16)
    const end = bytes.indexOf(0, at + D_NAME)
    if (length <= D_NAME || end < 0) break
    const name = Buffer.from(bytes.subarray(at + D_NAME, end + 1))
    const text = name.toString('latin1')
    if (text !== '.\0' && text !== '..\0') found.push({ name, type: (bytes[at + D_TYPE] ?? 0) << 12 })
    at += length
  }
  return found
}

/**
 * Whether an attribute belongs to the box: its own, overlayfs's marks, access lists and capabilities. Security modules
 * of the host set their labels again themselves.
 */
function isKept(name: string): boolean {
  return name.startsWith('user.') || name.startsWith('system.posix_acl_') || name === 'security.capability'
}

/** Names in the output of flistxattr(2) that a copy keeps. Bytes, as latin1. */
export function attributeNames(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\0').filter(isKept)
}

/** Whether a file has holes worth looking for. */
export function hasHoles({ size, used }: TreeStat): boolean {
  return used < size
}
