/** Compiles ffi/native.c with Bun's own compiler, forks the zygote, and starts the watcher's thread. */
import { cc, FFIType } from 'bun:ffi'
import { abi } from './abi/index.ts'
import { EPOLL_EVENT_SIZE } from './abi/structs.ts'
import { REGION_SIZE } from './batch.ts'
import { INIT_PROTOCOL } from './init-protocol.ts'
import { libcAddresses, must, pthreadCreate, type SyscallName, SysError, syscall } from './libc.ts'
import source from './native.c' with { type: 'text' }

const USED: readonly SyscallName[] = [
  ...([
    'accept4',
    'clone',
    'close',
    'close_range',
    'dup3',
    'epoll_pwait',
    'exit_group',
    'getsockopt',
  ] as const),
  ...([
    'madvise',
    'mmap',
    'openat',
    'openat2',
    'ppoll',
    'read',
    'recvfrom',
    'recvmsg',
    'rt_sigaction',
    'rt_sigprocmask',
  ] as const),
  ...(['sendmsg', 'sendto', 'setsockopt', 'signalfd4', 'wait4'] as const),
]

// A memfd, because the compiler needs a path and cannot read inside the executable, and another user could swap a file
// in /tmp.
function sourceFile(): number {
  const fd = must('memfd_create', undefined, Buffer.from('coop-native\0'), 1 /* MFD_CLOEXEC */)
  const bytes = Buffer.from(source as unknown as string)
  must('write', 'memfd', fd, bytes, bytes.length)
  return fd
}

function compile() {
  const define: Record<string, string> = {
    EPOLL_EVENT_SIZE: String(EPOLL_EVENT_SIZE),
    INIT_PROTOCOL: String(INIT_PROTOCOL),
  }
  for (const name of USED) define[`NR_${name}`] = String(abi.sys[name])
  const file = sourceFile()
  try {
    // With -nostdlib TinyCC links no libc, so none needs to be installed (docs/architecture.md).
    return cc({
      source: `/proc/self/fd/${file}`,
      flags: ['-nostdlib', '-x', 'c'] as unknown as string,
      define,
      symbols: {
        start_zygote: {
          args: [FFIType.ptr, FFIType.ptr, FFIType.i32, FFIType.i32, FFIType.u64],
          returns: FFIType.i64_fast,
        },
        start_watcher: {
          args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64],
          returns: FFIType.i32,
        },
      },
    }).symbols
  } finally {
    syscall('close', file)
  }
}

let compiled: ReturnType<typeof compile> | undefined

function native(): ReturnType<typeof compile> {
  compiled ??= compile()
  return compiled
}

/**
 * Fork the zygote. Call this before anything else is loaded, so that the zygote is small and holds no secrets.
 * `connection` and `channel` are the zygote's ends, which this process closes. Returns the zygote's pid.
 */
export function startZygote(connection: number, channel: number): number {
  try {
    const libc = libcAddresses()
    const pid = Number(
      native().start_zygote(libc.syscall, libc.errnoLocation, connection, channel, BigInt(REGION_SIZE)),
    )
    if (pid < 0) throw new SysError('clone', pid, 'zygote')
    return pid
  } finally {
    syscall('close', connection)
    syscall('close', channel)
  }
}

/** Start the thread that forwards `epoll`'s events to `socket`. Fork the zygote first: it may have no threads. */
export function startWatcher(epoll: number, socket: number): void {
  const libc = libcAddresses()
  const where = (BigInt(epoll) << 32n) | BigInt(socket)
  const error = native().start_watcher(libc.syscall, libc.errnoLocation, pthreadCreate(), where)
  if (error) throw new SysError('pthread_create', -error)
}
