/**
 * The only module that opens libc. Everything goes through its `syscall` function. Calls that an old glibc or musl does
 * not wrap therefore work, too, and both libcs behave the same (syscall(2)).
 */
import { dlopen, FFIType, type Pointer, ptr, read } from 'bun:ffi'
import { FIRST_SYSCALLS } from './abi/first-syscalls.ts'
import { abi, type CommonSyscall } from './abi/index.ts'

const { i64_fast: i64, ptr: pointer } = FFIType

/**
 * The libc that this executable is built for (scripts/build.mjs). Coop tries no other one: Bun looks in the current
 * folder for libraries that the system's loader does not find, and that folder may be a hostile repository.
 */
declare const COOP_LIBC: string | undefined
const LIBC = typeof COOP_LIBC === 'string' ? COOP_LIBC : 'libc.so.6'

const libc = dlopen(LIBC, {
  syscall: { args: [i64, i64, i64, i64, i64, i64, i64], returns: i64 },
}).symbols

// The address is constant for this thread, and only this thread makes syscalls.
let errnoAddress: Pointer | undefined

const locateErrno = () =>
  dlopen(LIBC, { __errno_location: { args: [], returns: pointer } }).symbols.__errno_location

/**
 * Looks the address up at the first failure: that takes a tenth of a millisecond, which most commands never need. The
 * lookup makes no call that could fail in between and change errno (libc.test.ts).
 */
function lastErrno(): number {
  errnoAddress ??= locateErrno()() as Pointer
  return read.i32(errnoAddress, 0)
}

export type SyscallName = CommonSyscall

const first: Partial<Record<SyscallName, number>> = FIRST_SYSCALLS[abi.arch]
// Loaded at the first failure.
const errno = (): typeof import('./abi/errno.ts') => require('./abi/errno.ts')
/** A byte array is passed by address; keep a reference to it until the call returns. */
export type SyscallArgument = number | bigint | Uint8Array

const address = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : ptr(bytes))

/** Make one syscall. Returns its result or the negated errno. */
export function syscall(
  name: SyscallName,
  a?: SyscallArgument,
  b?: SyscallArgument,
  c?: SyscallArgument,
  d?: SyscallArgument,
  e?: SyscallArgument,
  f?: SyscallArgument,
): number {
  const result = attempt(name, a, b, c, d, e, f)
  return result === -1 ? -lastErrno() : result
}

/**
 * Make one syscall. Returns its result, or -1 where the caller does not need errno. It has no loop: code that runs
 * often makes the engine start a compiler thread, which costs a short command half a millisecond.
 */
export function attempt(
  name: SyscallName,
  a: SyscallArgument = 0,
  b: SyscallArgument = 0,
  c: SyscallArgument = 0,
  d: SyscallArgument = 0,
  e: SyscallArgument = 0,
  f: SyscallArgument = 0,
): number {
  return Number(
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
}

const MAX_PATH = 200 // characters of a path in a message

/** A path for a message: of a long one its beginning and its end. */
export function shortPath(path: string): string {
  return path.length <= MAX_PATH
    ? path
    : `${path.slice(0, MAX_PATH / 2)}…${path.slice(-MAX_PATH / 2)} (${path.length} characters)`
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
    super(`${call}${about ? ` ${shortPath(about)}` : ''}: ${code}`)
    this.syscall = call
    this.errno = -result
    this.code = code
  }
}

/** Make one syscall; throws SysError if it fails. */
export function must(name: SyscallName, about: string | undefined, ...args: SyscallArgument[]): number {
  const result = syscall(name, ...args)
  if (result < 0) throw new SysError(name, result, about)
  return result
}

/** NUL-terminated bytes of a string. Refuses a NUL inside, which would cut the string short. */
export function cstring(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError(`a NUL byte in ${JSON.stringify(text)}`)
  return new TextEncoder().encode(`${text}\0`)
}

/** Addresses of the two libc functions that native.c, compiled without a libc, receives. */
export function libcAddresses(): { readonly syscall: Pointer; readonly errnoLocation: Pointer } {
  const addressOf = (fn: unknown): Pointer => (fn as { ptr: Pointer }).ptr
  return { syscall: addressOf(libc.syscall), errnoLocation: addressOf(locateErrno()) }
}

/** The address of pthread_create(3). Before glibc 2.34 it was in libpthread. */
export function pthreadCreate(): Pointer {
  const symbols = { pthread_create: { args: [pointer, pointer, pointer, pointer], returns: FFIType.i32 } }
  let cause: unknown
  for (const name of [LIBC, 'libpthread.so.0']) {
    try {
      return (dlopen(name, symbols).symbols.pthread_create as unknown as { ptr: Pointer }).ptr
    } catch (error) {
      cause = error
    }
  }
  throw new Error('no libc with threads found', { cause })
}
