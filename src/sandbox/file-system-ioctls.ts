/**
 * ioctl(2) requests on a file that affect more of its file system than the box can see, and that need no privilege on
 * the host. Mounts and path permissions do not restrict them, so a filter has to. They reach the host through the
 * workspace and other bind mounts; overlayfs passes none on. Numbers of linux/btrfs.h, linux/fscrypt.h, fs/bcachefs.
 *
 * Left open on purpose: FICLONE and its kin, which act on two open files; flags and project ids, which the kernel
 * refuses in a user namespace; and FIFREEZE, FITRIM, resizing, XFS handles and tree searches, which need capabilities
 * over the host.
 */

/** A snapshot copies a whole subvolume, such as the user's home, if any file in it is open (Linux before 6.4). */
const BTRFS = {
  BTRFS_IOC_SNAP_CREATE: 0x5000_9401,
  BTRFS_IOC_SUBVOL_CREATE: 0x5000_940e,
  BTRFS_IOC_SNAP_DESTROY: 0x5000_940f,
  BTRFS_IOC_SNAP_CREATE_V2: 0x5000_9417,
  BTRFS_IOC_SUBVOL_CREATE_V2: 0x5000_9418,
  BTRFS_IOC_SUBVOL_SETFLAGS: 0x4008_941a,
  BTRFS_IOC_SET_RECEIVED_SUBVOL: 0xc0c8_9425,
  /** The same struct with 4-byte alignment, for 32-bit programs; it has a request number of its own. */
  BTRFS_IOC_SET_RECEIVED_SUBVOL_32: 0xc0c0_9425,
  BTRFS_IOC_GET_SUBVOL_INFO: 0x81f8_943c,
  BTRFS_IOC_GET_SUBVOL_ROOTREF: 0xd000_943d,
  BTRFS_IOC_INO_LOOKUP_USER: 0xd000_943e,
  BTRFS_IOC_SNAP_DESTROY_V2: 0x5000_943f,
} as const

/** The same on bcachefs: a path names the source of a snapshot, which is copied whole. */
const BCACHEFS = {
  BCH_IOCTL_SUBVOLUME_CREATE: 0x4020_bc10,
  BCH_IOCTL_SUBVOLUME_DESTROY: 0x4020_bc11,
} as const

/**
 * Keys belong to the file system and to the user's id, which root of the box has. Removing the workspace's key would
 * lock the user's whole encrypted home.
 */
const FSCRYPT = {
  FS_IOC_ADD_ENCRYPTION_KEY: 0xc050_6617,
  FS_IOC_REMOVE_ENCRYPTION_KEY: 0xc040_6618,
  FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS: 0xc040_6619,
} as const

/** Shows where the data of every file of the file system lies on disk. */
const LAYOUT = { FS_IOC_GETFSMAP: 0xc0c0_583b } as const

/** Request numbers by name. */
export const FILE_SYSTEM_IOCTLS: Readonly<Record<string, number>> = {
  ...BTRFS,
  ...BCACHEFS,
  ...FSCRYPT,
  ...LAYOUT,
}
