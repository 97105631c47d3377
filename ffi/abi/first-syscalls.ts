/**
 * Numbers of the calls that every command makes, and of those behind a typed key, where a lookup would cost each call
 * time. The whole tables load when another number is asked for: that takes half a millisecond, a tenth of `coop ls`.
 * abi.test.ts compares these numbers with the tables.
 */
export const FIRST_SYSCALLS = {
  x86_64: {
    ...{
      read: 0,
      write: 1,
      close: 3,
      rt_sigaction: 13,
      ioctl: 16,
      socket: 41,
      connect: 42,
      sendmsg: 46,
      getsockopt: 55,
    },
    ...{
      fcntl: 72,
      readlinkat: 267,
      openat: 257,
      pipe2: 293,
      pread64: 17,
      pwrite64: 18,
      ppoll: 271,
      statx: 332,
      splice: 275,
      tee: 276,
      sendto: 44,
    },
  },
  aarch64: {
    ...{
      read: 63,
      write: 64,
      close: 57,
      rt_sigaction: 134,
      ioctl: 29,
      socket: 198,
      connect: 203,
      sendmsg: 211,
      getsockopt: 209,
    },
    ...{
      fcntl: 25,
      readlinkat: 78,
      openat: 56,
      pipe2: 59,
      pread64: 67,
      pwrite64: 68,
      ppoll: 73,
      statx: 291,
      splice: 76,
      tee: 77,
      sendto: 206,
    },
  },
} as const
