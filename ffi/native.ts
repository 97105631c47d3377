/** Compiles ffi/native.c with Bun's own compiler and forks the zygote. */
import { cc, FFIType } from 'bun:ffi'
import { abi } from './abi/index.ts'
import { REGION_SIZE } from './batch.ts'
import { libcAddresses, must, type SyscallName, SysError, syscall } from './libc.ts'
import source from './native.c' with { type: 'text' }

const USED: readonly SyscallName[] = [
  ...(['accept4', 'clone', 'close', 'close_range', 'dup3', 'exit_group', 'getsockopt', 'madvise'] as const),
  ...(['mmap', 'openat', 'ppoll', 'read', 'recvfrom', 'recvmsg', 'rt_sigaction', 'rt_sigprocmask'] as const),
  ...(['sendmsg', 'setsockopt', 'signalfd4', 'wait4'] as const),
]

// A memfd, because the compiler wants a path, cannot read inside the executable, and a file in /tmp could be
// swapped by another user.
function sourceFile(): number {
  const fd = must('memfd_create', undefined, Buffer.from('coop-native\0'), 1 /* MFD_CLOEXEC */)
  const bytes = Buffer.from(source as unknown as string)
  must('write', 'memfd', fd, bytes, bytes.length)
  return fd
}

/**
 * Fork the zygote. To be called before anything else is loaded, so that it is small and holds no secrets.
 * `connection` and `channel` are this process's ends' counterparts, closed here. Returns the zygote's pid.
 */
export function startZygote(connection: number, channel: number): number {
  const define: Record<string, string> = {}
  for (const name of USED) define[`NR_${name}`] = String(abi.sys[name])
  const file = sourceFile()
  try {
    // TinyCC puts nothing of a libc in with -nostdlib, so none needs to be installed (docs/architecture.md).
    const { symbols } = cc({
      source: `/proc/self/fd/${file}`,
      flags: ['-nostdlib', '-x', 'c'] as unknown as string,
      define,
      symbols: {
        start_zygote: {
          args: [FFIType.ptr, FFIType.ptr, FFIType.i32, FFIType.i32, FFIType.u64],
          returns: FFIType.i64_fast,
        },
      },
    })
    const libc = libcAddresses()
    const pid = Number(
      symbols.start_zygote(libc.syscall, libc.errnoLocation, connection, channel, BigInt(REGION_SIZE)),
    )
    if (pid < 0) throw new SysError('clone', pid, 'zygote')
    return pid
  } finally {
    syscall('close', file)
    syscall('close', connection)
    syscall('close', channel)
  }
}
