/** POSIX access lists of files (acl(5)): what somebody may do without their supplementary groups. */
import { syscall } from '../../ffi/libc.ts'

/** Kinds of entries in the kernel's format (linux/posix_acl_xattr.h). */
const USER = 0x02
const GROUP_OF_FILE = 0x04
const GROUP = 0x08
const MASK = 0x10
const OTHERS = 0x20

const HEADER = 4 // a version
const ENTRY = 8 // kind (2 bytes), rights (2), id (4)
const MAX_LIST = 1 << 16 // of any extended attribute (XATTR_SIZE_MAX)

/** Returns the list of a file, or undefined if it has none beside its mode. */
export function accessListOf(path: string): Uint8Array | undefined {
  const name = Buffer.from('system.posix_acl_access\0')
  const list = new Uint8Array(MAX_LIST)
  const length = syscall('getxattr', Buffer.from(`${path}\0`), name, list, list.length)
  return length > HEADER ? list.subarray(0, length) : undefined
}

/**
 * Returns the rights (as the last digit of a mode) that a list gives somebody who does not own the file, and is in no
 * group but `gid`. The file belongs to `group`. As in the kernel (posix_acl_permission), an entry for the user counts
 * before those for groups, and others count only where no group matches.
 */
export function listedRights(
  list: Uint8Array,
  group: number,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): number {
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength)
  let mask = 7
  let others = 0
  let ofUser: number | undefined
  let ofGroups: number | undefined
  for (let at = HEADER; at + ENTRY <= list.length; at += ENTRY) {
    const kind = view.getUint16(at, true)
    const rights = view.getUint16(at + 2, true)
    const id = view.getUint32(at + 4, true)
    if (kind === MASK) mask = rights
    else if (kind === OTHERS) others = rights
    else if (kind === USER && id === uid) ofUser = rights
    else if ((kind === GROUP && id === gid) || (kind === GROUP_OF_FILE && group === gid))
      ofGroups = (ofGroups ?? 0) | rights
  }
  const named = ofUser ?? ofGroups
  return named === undefined ? others : named & mask
}
