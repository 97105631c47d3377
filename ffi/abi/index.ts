/** The ABI of the machine that this runs on. Pure data; the only choice made here is the architecture. */
import { SYSCALLS_AARCH64 } from './syscalls-aarch64.ts'
import { SYSCALLS_X86_64 } from './syscalls-x86_64.ts'

/** Names that both architectures have. */
type CommonSyscall = keyof typeof SYSCALLS_X86_64 & keyof typeof SYSCALLS_AARCH64

export interface Abi {
  readonly arch: 'x86_64' | 'aarch64'
  readonly sys: Readonly<Record<CommonSyscall, number>>
  /** Flags of open(2) whose values differ. */
  readonly O_DIRECTORY: number
  readonly O_NOFOLLOW: number
}

export const ABIS: Readonly<Record<Abi['arch'], Abi>> = {
  x86_64: { arch: 'x86_64', sys: SYSCALLS_X86_64, O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 },
  aarch64: { arch: 'aarch64', sys: SYSCALLS_AARCH64, O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000 },
}

function current(): Abi {
  if (process.arch === 'x64') return ABIS.x86_64
  if (process.arch === 'arm64') return ABIS.aarch64
  throw new Error(`coop runs on x86_64 and aarch64, not on ${process.arch}`)
}

export const abi: Abi = current()
