/** The ABI of the machine that coop runs on. Pure data; the only choice made here is the architecture. */
import type { SYSCALLS_AARCH64 } from './syscalls-aarch64.ts'
import type { SYSCALLS_X86_64 } from './syscalls-x86_64.ts'

export type Arch = 'x86_64' | 'aarch64'

/** Names that both architectures have. */
export type CommonSyscall = keyof typeof SYSCALLS_X86_64 & keyof typeof SYSCALLS_AARCH64

/** Names that at least one architecture has: only x86_64 has `open`. */
export type AnySyscall = keyof typeof SYSCALLS_X86_64 | keyof typeof SYSCALLS_AARCH64

export interface Abi {
  readonly arch: Arch
  readonly sys: Readonly<Record<CommonSyscall, number>>
  /** `seccomp_data.arch` of native calls: AUDIT_ARCH_* of linux/audit.h. */
  readonly auditArch: number
  /** Flags of open(2) whose values differ: arm64 has its own asm/fcntl.h. */
  readonly O_DIRECTORY: number
  readonly O_NOFOLLOW: number
  readonly O_DIRECT: number
  /** The kernel sets it for 64-bit programs and F_GETFL shows it; glibc defines it as 0. */
  readonly O_LARGEFILE: number
  /** Includes O_DIRECTORY, so that kernels before 3.11 refuse it. */
  readonly O_TMPFILE: number
}

// Evaluated at the first use: most commands need a dozen of the numbers (first-syscalls.ts).
const x86_64 = (): typeof import('./syscalls-x86_64.ts') => require('./syscalls-x86_64.ts')
const aarch64 = (): typeof import('./syscalls-aarch64.ts') => require('./syscalls-aarch64.ts')

export const ABIS: Readonly<Record<Arch, Abi>> = {
  x86_64: {
    arch: 'x86_64',
    get sys() {
      return x86_64().SYSCALLS_X86_64
    },
    auditArch: 0xc000003e,
    O_DIRECTORY: 0o200000,
    O_NOFOLLOW: 0o400000,
    O_DIRECT: 0o40000,
    O_LARGEFILE: 0o100000,
    O_TMPFILE: 0o20200000,
  },
  aarch64: {
    arch: 'aarch64',
    get sys() {
      return aarch64().SYSCALLS_AARCH64
    },
    auditArch: 0xc00000b7,
    O_DIRECTORY: 0o40000,
    O_NOFOLLOW: 0o100000,
    O_DIRECT: 0o200000,
    O_LARGEFILE: 0o400000,
    O_TMPFILE: 0o20040000,
  },
}

/** The ABI for node's name of the architecture (`process.arch`). */
export function abiOf(nodeArch: string): Abi {
  if (nodeArch === 'x64') return ABIS.x86_64
  if (nodeArch === 'arm64') return ABIS.aarch64
  throw new Error(`coop runs on x86_64 and aarch64, not on ${nodeArch}`)
}

export const abi: Abi = abiOf(process.arch)
