/**
 * Flags and numbers of the kernel's interface, with the kernel's names. The same on x86_64 and aarch64, except
 * those in index.ts; compared with the system's headers in abi.test.ts.
 */

// open(2)
export const O_RDONLY = 0
export const O_WRONLY = 1
export const O_RDWR = 2
export const O_CREAT = 0o100
export const O_EXCL = 0o200
export const O_NOCTTY = 0o400
export const O_CLOEXEC = 0o2000000
export const O_PATH = 0o10000000
export const AT_EMPTY_PATH = 0x1000
export const AT_RECURSIVE = 0x8000

// openat2(2)
export const RESOLVE_NO_MAGICLINKS = 2
export const RESOLVE_NO_SYMLINKS = 4
export const RESOLVE_BENEATH = 8
export const RESOLVE_IN_ROOT = 16

// mount(2), umount2(2)
export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_REC = 0x4000
export const MS_PRIVATE = 0x40000
export const MNT_DETACH = 2

// open_tree(2), move_mount(2), fsopen(2), mount_setattr(2)
export const OPEN_TREE_CLONE = 1
export const OPEN_TREE_CLOEXEC = 0o2000000
export const MOVE_MOUNT_F_EMPTY_PATH = 4
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40
export const FSOPEN_CLOEXEC = 1
export const FSMOUNT_CLOEXEC = 1
export const FSCONFIG_SET_FLAG = 0
export const FSCONFIG_SET_STRING = 1
export const FSCONFIG_CMD_CREATE = 6
export const MOUNT_ATTR_RDONLY = 1
export const MOUNT_ATTR_NOSUID = 2
export const MOUNT_ATTR_NODEV = 4
export const MOUNT_ATTR_NOEXEC = 8
export const MOUNT_ATTR_IDMAP = 0x100000

// clone(2)
export const CLONE_NEWNS = 0x20000
export const CLONE_NEWCGROUP = 0x2000000
export const CLONE_NEWUTS = 0x4000000
export const CLONE_NEWIPC = 0x8000000
export const CLONE_NEWUSER = 0x10000000
export const CLONE_NEWPID = 0x20000000
export const CLONE_NEWNET = 0x40000000

// prctl(2)
export const PR_SET_DUMPABLE = 4
export const PR_SET_NAME = 15
export const PR_CAPBSET_DROP = 24
export const PR_SET_NO_NEW_PRIVS = 38
export const PR_CAP_AMBIENT = 47
export const PR_CAP_AMBIENT_CLEAR_ALL = 4

// seccomp(2), landlock(7), setrlimit(2)
export const SECCOMP_SET_MODE_FILTER = 1
export const LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1
export const RLIMIT_NPROC = 6
export const RLIMIT_NOFILE = 7

// ioctl_tty(2)
export const TCGETS = 0x5401
export const TCSETSW = 0x5403
export const TIOCSCTTY = 0x540e
export const TIOCGWINSZ = 0x5413
export const TIOCSWINSZ = 0x5414
export const TIOCGPTPEER = 0x5441
export const TIOCSPTLCK = 0x40045431
