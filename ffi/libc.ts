/**
 * The one place that opens libc. Everything goes through its `syscall` function, so that calls without a
 * wrapper in an old glibc or musl work too, and both libcs behave the same (syscall(2)).
 */
import { dlopen, FFIType, type Pointer, ptr, read } from 'bun:ffi'
import { FIRST_SYSCALLS } from './abi/first-syscalls.ts'
import { abi, type CommonSyscall } from './abi/index.ts'

const { i64_fast: i64, ptr: pointer } = FFIType
const SYMBOLS = {
  syscall: { args: [i64, i64, i64, i64, i64, i64, i64], returns: i64 },
  __errno_location: { args: [], returns: pointer },
}

const CANDIDATES = ['libc.so.6', `libc.musl-${abi.arch}.so.1`] as const

function openLibc() {
  let cause: unknown
  for (const name of CANDIDATES) {
    try {
      return dlopen(name, SYMBOLS).symbols
    } catch (error) {
      cause = error
    }
  }
  throw new Error(`no libc found (tried ${CANDIDATES.join(', ')})`, { cause })
}

const libc = openLibc()
// The address is constant for this thread, and only this thread makes syscalls.
const errnoAddress = libc.__errno_location() as Pointer

export type SyscallName = CommonSyscall

const first: Partial<Record<SyscallName, number>> = FIRST_SYSCALLS[abi.arch]
// Loaded when something fails.
const errno = (): typeof import('./abi/errno.ts') => require('./abi/errno.ts')
/** A byte array is passed as its address; it must stay referenced until the call returns. */
export type SyscallArgument = number | bigint | Uint8Array

const address = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : ptr(bytes))

/**
 * Make one syscall; the result, or the negated errno. One call in JavaScript and no loop: what runs often makes the
 * engine start a thread to compile it, which costs a short command half a millisecond.
 */
export function syscall(
  name: SyscallName,
  a: SyscallArgument = 0,
  b: SyscallArgument = 0,
  c: SyscallArgument = 0,
  d: SyscallArgument = 0,
  e: SyscallArgument = 0,
  f: SyscallArgument = 0,
): number {
  const result = Number(
    libc.syscall(
      first[name] ?? abi.sys[name],
      typeof a === 'object' ? address(a) : a,
      typeof b === 'object' ? address(b) : b,
      typeof c === 'object' ? address(c) : c,
      typeof d === 'object' ? address(d) : d,
      typeof e === 'object' ? address(e) : e,
      typeof f === 'object' ? address(f) : f,
    ),
  )
  return result === -1 ? -read.i32(errnoAddress, 0) : result
}

/** A syscall that failed, as a value. `code` is the errno's name. */
export class SysError extends Error {
  override readonly name = 'SysError'
  readonly syscall: string
  readonly errno: number
  readonly code: string

  /** `result` is a negated errno; `about` names the object, e.g. a path. */
  constructor(call: string, result: number, about?: string) {
    const code = errno().errnoName(-result)
    super(`${call}${about ? ` ${about}` : ''}: ${code}`)
    this.syscall = call
    this.errno = -result
    this.code = code
  }
}

/** Make one syscall; throws SysError when it fails. */
export function must(name: SyscallName, about: string | undefined, ...args: SyscallArgument[]): number {
  const result = syscall(name, ...args)
  if (result < 0) throw new SysError(name, result, about)
  return result
}

/** NUL-terminated bytes of a string. A NUL inside would cut it short, so it is refused. */
export function cstring(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError(`a NUL byte in ${JSON.stringify(text)}`)
  return Buffer.from(`${text}\0`)
}

/** Addresses of the two libc functions that code compiled without a libc is given. */
export function libcAddresses(): { readonly syscall: Pointer; readonly errnoLocation: Pointer } {
  const addressOf = (fn: unknown): Pointer => (fn as { ptr: Pointer }).ptr
  return { syscall: addressOf(libc.syscall), errnoLocation: addressOf(libc.__errno_location) }
}

/** The address of pthread_create(3), which was in a library of its own before glibc 2.34. */
export function pthreadCreate(): Pointer {
  const symbols = { pthread_create: { args: [pointer, pointer, pointer, pointer], returns: FFIType.i32 } }
  let cause: unknown
  for (const name of [...CANDIDATES, 'libpthread.so.0']) {
    try {
      return (dlopen(name, symbols).symbols.pthread_create as unknown as { ptr: Pointer }).ptr
    } catch (error) {
      cause = error
    }
  }
  throw new Error('no libc with threads found', { cause })
}
