/**
 * The one place that opens libc. Everything goes through its `syscall` function, so that calls without a
 * wrapper in an old glibc or musl work too, and both libcs behave the same (syscall(2)).
 */
import { dlopen, FFIType, type Pointer, ptr, read } from 'bun:ffi'
import { errnoName } from './abi/errno.ts'
import { abi } from './abi/index.ts'

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

export type SyscallName = keyof typeof abi.sys
/** A byte array is passed as its address; it must stay referenced until the call returns. */
export type SyscallArgument = number | bigint | Uint8Array

function word(value: SyscallArgument | undefined): number | bigint {
  if (value === undefined) return 0
  if (typeof value === 'object') return value.length === 0 ? 0 : ptr(value)
  return value
}

/** Make one syscall; the result, or the negated errno. */
export function syscall(name: SyscallName, ...args: SyscallArgument[]): number {
  const [a, b, c, d, e, f] = args
  const result = Number(libc.syscall(abi.sys[name], word(a), word(b), word(c), word(d), word(e), word(f)))
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
    const code = errnoName(-result)
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
  const address = (fn: unknown): Pointer => (fn as { ptr: Pointer }).ptr
  return { syscall: address(libc.syscall), errnoLocation: address(libc.__errno_location) }
}
