/**
 * Flags and numbers of the kernel's interface, with the kernel's names. They are the same on x86_64 and aarch64, except
 * those in index.ts. abi.test.ts compares them with the system's headers.
 */

// open(2)
export const O_RDONLY = 0
export const O_WRONLY = 1
export const O_RDWR = 2
export const O_CREAT = 0o100
export const O_EXCL = 0o200
export const O_NOCTTY = 0o400
export const O_TRUNC = 0o1000
export const O_APPEND = 0o2000
export const O_NONBLOCK = 0o4000
export const O_CLOEXEC = 0o2000000
export const O_PATH = 0o10000000
export const AT_FDCWD = -100
export const X_OK = 1 // access(2)
export const AT_SYMLINK_NOFOLLOW = 0x100
export const AT_REMOVEDIR = 0x200
export const RENAME_NOREPLACE = 1
export const RENAME_EXCHANGE = 2
export const SEEK_DATA = 3
export const AT_SYMLINK_FOLLOW = 0x400
export const AT_NO_AUTOMOUNT = 0x800
export const AT_EMPTY_PATH = 0x1000
export const AT_RECURSIVE = 0x8000

// openat2(2)
export const RESOLVE_NO_XDEV = 1
export const RESOLVE_NO_MAGICLINKS = 2
export const RESOLVE_NO_SYMLINKS = 4
export const RESOLVE_BENEATH = 8
export const RESOLVE_IN_ROOT = 16
export const RESOLVE_CACHED = 32

export const CLOCK_MONOTONIC = 1

// fcntl(2), flock(2), close_range(2)
export const F_DUPFD = 0
export const F_GETFD = 1
export const F_SETFD = 2
export const F_GETFL = 3
export const F_SETFL = 4
export const F_GETLK = 5
export const F_SETLK = 6
export const F_WRLCK = 1
export const F_UNLCK = 2
export const F_DUPFD_CLOEXEC = 1030
export const F_ADD_SEALS = 1033
export const FD_CLOEXEC = 1
export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4
export const LOCK_UN = 8
export const CLOSE_RANGE_UNSHARE = 2
export const CLOSE_RANGE_CLOEXEC = 4

// inode(7)
export const S_IFMT = 0o170000
export const S_IFSOCK = 0o140000
export const S_IFLNK = 0o120000
export const S_IFREG = 0o100000
export const S_IFBLK = 0o60000
export const S_IFDIR = 0o40000
export const S_IFCHR = 0o20000
export const S_IFIFO = 0o10000
export const STATX_INO = 0x100
export const STATX_BASIC_STATS = 0x7ff
export const STATX_BTIME = 0x800
export const STATX_MNT_ID = 0x1000

// mount(2), umount2(2)
export const MS_RDONLY = 1
export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_NOEXEC = 8
export const MS_REMOUNT = 0x20
export const MS_BIND = 0x1000
export const MS_MOVE = 0x2000
export const MS_REC = 0x4000
export const MS_PRIVATE = 0x40000
export const MS_SLAVE = 0x80000
export const MS_SHARED = 0x100000
export const MNT_DETACH = 2
export const UMOUNT_NOFOLLOW = 8

// open_tree(2), move_mount(2), fsopen(2), mount_setattr(2)
export const OPEN_TREE_CLONE = 1
export const OPEN_TREE_CLOEXEC = 0o2000000
export const MOVE_MOUNT_F_SYMLINKS = 1
export const MOVE_MOUNT_F_EMPTY_PATH = 4
export const MOVE_MOUNT_T_SYMLINKS = 0x10
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40
export const FSOPEN_CLOEXEC = 1
export const FSMOUNT_CLOEXEC = 1
export const FSCONFIG_SET_FLAG = 0
export const FSCONFIG_SET_STRING = 1
export const FSCONFIG_SET_FD = 5
export const FSCONFIG_CMD_CREATE = 6
export const FSCONFIG_CMD_RECONFIGURE = 7
export const MOUNT_ATTR_RDONLY = 1
export const MOUNT_ATTR_NOSUID = 2
export const MOUNT_ATTR_NODEV = 4
export const MOUNT_ATTR_NOEXEC = 8
export const MOUNT_ATTR_NOATIME = 0x10
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000
export const MOUNT_ATTR_IDMAP = 0x100000

// clone(2)
export const CLONE_NEWTIME = 0x80
export const CLONE_NEWNS = 0x20000
export const CLONE_NEWCGROUP = 0x2000000
export const CLONE_NEWUTS = 0x4000000
export const CLONE_NEWIPC = 0x8000000
export const CLONE_NEWUSER = 0x10000000
export const CLONE_NEWPID = 0x20000000
export const CLONE_NEWNET = 0x40000000
export const CLONE_INTO_CGROUP = 0x200000000 // clone3(2) only

// signal(7), sigprocmask(2)
export const SIGHUP = 1
export const SIGINT = 2
export const SIGQUIT = 3
export const SIGABRT = 6
export const SIGKILL = 9
export const SIGUSR1 = 10
export const SIGSEGV = 11
export const SIGUSR2 = 12
export const SIGPIPE = 13
export const SIGALRM = 14
export const SIGTERM = 15
export const SIGCHLD = 17
export const SIGCONT = 18
export const SIGSTOP = 19
export const SIGTSTP = 20
export const SIGTTIN = 21
export const SIGTTOU = 22
export const SIGWINCH = 28
export const SIGSYS = 31
export const SIG_BLOCK = 0
export const SIG_UNBLOCK = 1
export const SIG_SETMASK = 2

// prctl(2), capabilities(7)
export const PR_SET_PDEATHSIG = 1
export const PR_SET_DUMPABLE = 4
export const PR_SET_NAME = 15
export const PR_CAPBSET_READ = 23
export const PR_CAPBSET_DROP = 24
export const PR_SET_SECUREBITS = 28
export const PR_SET_CHILD_SUBREAPER = 36
export const PR_SET_NO_NEW_PRIVS = 38
export const PR_CAP_AMBIENT = 47
export const PR_CAP_AMBIENT_CLEAR_ALL = 4
export const LINUX_CAPABILITY_VERSION_3 = 0x20080522

// seccomp(2)
export const SECCOMP_SET_MODE_FILTER = 1
export const SECCOMP_GET_ACTION_AVAIL = 2
export const SECCOMP_FILTER_FLAG_TSYNC = 1
export const SECCOMP_FILTER_FLAG_LOG = 2
export const SECCOMP_RET_KILL_PROCESS = 0x80000000
export const SECCOMP_RET_ERRNO = 0x50000
export const SECCOMP_RET_ALLOW = 0x7fff0000

// landlock(7)
export const LANDLOCK_CREATE_RULESET_VERSION = 1
export const LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1
export const LANDLOCK_SCOPE_SIGNAL = 2

// setrlimit(2)
export const RLIMIT_CPU = 0
export const RLIMIT_FSIZE = 1
export const RLIMIT_DATA = 2
export const RLIMIT_STACK = 3
export const RLIMIT_CORE = 4
export const RLIMIT_RSS = 5
export const RLIMIT_NPROC = 6
export const RLIMIT_NOFILE = 7
export const RLIMIT_MEMLOCK = 8
export const RLIMIT_AS = 9
export const RLIMIT_LOCKS = 10
export const RLIMIT_SIGPENDING = 11
export const RLIMIT_MSGQUEUE = 12
export const RLIMIT_NICE = 13
export const RLIMIT_RTPRIO = 14
export const RLIMIT_RTTIME = 15

// sched(7), ioprio_set(2), prctl(2)
export const SCHED_OTHER = 0
export const SCHED_BATCH = 3
export const SCHED_IDLE = 5
export const IOPRIO_WHO_PROCESS = 1
export const IOPRIO_CLASS_SHIFT = 13
export const IOPRIO_CLASS_RT = 1

// socket(2), unix(7), netlink(7)
export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const NETLINK_ROUTE = 0
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_SEQPACKET = 5
export const SOCK_PACKET = 10
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
export const SOL_SOCKET = 1
export const SO_TYPE = 3
export const SO_PEERCRED = 17
export const SO_PEERPIDFD = 77
export const SCM_RIGHTS = 1
export const MSG_PEEK = 2
export const MSG_CTRUNC = 8
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const MSG_NOSIGNAL = 0x4000
export const MSG_CMSG_CLOEXEC = 0x40000000

// ioctl_tty(2)
export const TCGETS = 0x5401
export const TCSETS = 0x5402
export const TCSETSW = 0x5403
export const TCFLSH = 0x540b
export const TCIFLUSH = 0
export const TIOCSCTTY = 0x540e
export const TIOCSPGRP = 0x5410
export const TIOCNOTTY = 0x5422
export const CLONE_CHILD_SETTID = 0x01000000
export const TIOCSTI = 0x5412
export const TIOCGPGRP = 0x540f
export const TIOCGWINSZ = 0x5413
export const TIOCSWINSZ = 0x5414
export const TIOCLINUX = 0x541c
export const TIOCCONS = 0x541d
export const TIOCSETD = 0x5423
export const TIOCGPTPEER = 0x5441
export const TIOCGPTN = 0x80045430
export const TIOCSPTLCK = 0x40045431

// poll(2)
export const POLLIN = 1
export const POLLOUT = 4

// epoll_ctl(2)
export const EPOLL_CTL_ADD = 1
export const EPOLL_CTL_DEL = 2
export const EPOLL_CTL_MOD = 3
export const EPOLLIN = 1
export const EPOLLOUT = 4
export const EPOLLONESHOT = 0x4000_0000

// splice(2)
export const SPLICE_F_MOVE = 1
export const SPLICE_F_NONBLOCK = 2
