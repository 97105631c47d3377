/**
 * Syscall batches: the one primitive by which the daemon acts inside a box (docs/architecture.md).
 *
 * A batch is built here and run by ffi/native.c in the zygote or in a box's init. This module is pure: it builds and
 * encodes, and touches no descriptor. Layout, little-endian: head (32 bytes), operations (56 bytes each), data. The
 * receiver reads the whole batch to one fixed address, so pointers into the data can be computed here.
 */

import { errnoName } from './abi/errno.ts'
import { abi } from './abi/index.ts'
import type { SyscallName } from './libc.ts'
import { bytesOf } from './text-bytes.ts'

export const REGION_SIZE = 4 << 20 // bytes; more than the kernel accepts as arguments and environment of one exec
export const MAX_OPS = 2048
export const MAX_FDS = 250 // root's boxes have a mount for each image layer; the kernel accepts 253 (SCM_MAX_FD)
const HEAD_SIZE = 32
const OP_SIZE = 56

const MAY_FAIL = 0x40
const FORK = 0x80
const SCOPED = 0x100
const SEND = 0x200

// Operations that are not syscalls; native.c has the same numbers.
const OP_EQUAL = -1
const OP_FORGET = -2
const OP_SERVE = -3
const OP_LISTEN = -4

/** The result of an earlier operation, or a descriptor that travels with the batch. */
export class Ref {
  readonly kind: 'op' | 'fd'
  readonly index: number
  constructor(kind: 'op' | 'fd', index: number) {
    this.kind = kind
    this.index = index
  }
}

/** An address inside the batch's data. */
export class Data {
  readonly offset: number
  readonly size: number
  constructor(offset: number, size: number) {
    this.offset = offset
    this.size = size
  }
  /** The address `bytes` further on. */
  at(bytes: number): Data {
    return new Data(this.offset + bytes, this.size - bytes)
  }
}

export type Argument = number | bigint | string | Uint8Array | Ref | Data

export interface OpOptions {
  /** Continue when it fails. A list of errno names allows only these errors; any other one fails the batch. */
  readonly mayFail?: boolean | readonly string[]
  /** Close the resulting descriptor when the batch is over. */
  readonly scoped?: boolean
  /** Send the resulting descriptor back. `BatchReply.fds` lists them in this order. */
  readonly send?: boolean
  /** The purpose of the operation, for the error text when it fails. */
  readonly what?: string
}

interface Op {
  readonly name: string
  readonly nr: number
  readonly flags: number
  readonly args: readonly (number | bigint | Ref | Data)[]
  readonly what: string | undefined
  /** The errors that are allowed; undefined: all of them. */
  readonly errors: readonly string[] | undefined
}

/** Which operation of a batch failed and why. */
export class BatchError extends Error {
  override readonly name = 'BatchError'
  readonly syscall: string
  readonly errno: number
  readonly code: string
  /** The purpose given to the operation, e.g. `mount /usr`. */
  readonly what: string | undefined
  constructor(op: { name: string; what: string | undefined }, errno: number) {
    super(`${op.what ? `${op.what}: ` : ''}${op.name}: ${errnoName(errno)}`)
    this.syscall = op.name
    this.errno = errno
    this.code = errnoName(errno)
    this.what = op.what
  }
}

const align8 = (n: number): number => (n + 7) & ~7

export class Batch {
  readonly ops: Op[] = []
  readonly fds: number[] = []
  #chunks: Uint8Array[] = []
  #dataSize = 0
  #pointers: { readonly at: number; readonly to: Data }[] = []
  #out: Data | undefined

  /** Whether the batch ends with a child process that keeps running. */
  get forks(): boolean {
    return this.ops.some((op) => op.flags & FORK)
  }

  /** Put bytes into the data; 8-byte aligned. */
  data(bytes: Uint8Array): Data {
    const at = this.#dataSize
    this.#chunks.push(bytes)
    const padding = align8(bytes.length) - bytes.length
    if (padding) this.#chunks.push(new Uint8Array(padding))
    this.#dataSize += bytes.length + padding
    return new Data(at, bytes.length)
  }

  /** A NUL-terminated string in the data. */
  string(text: string): Data {
    if (text.includes('\0')) throw new TypeError(`a NUL byte in ${JSON.stringify(text)}`)
    return this.data(bytesOf(`${text}\0`))
  }

  /** Zeroed space in the data for the kernel to write to. */
  space(size: number): Data {
    return this.data(new Uint8Array(size))
  }

  /** Store an address inside the data as an 8-byte word in the data: for structs with pointers. */
  pointer(within: Data, offset: number, to: Data): void {
    this.#pointers.push({ at: within.offset + offset, to })
  }

  /** A NULL-terminated array of string pointers (argv, envp). */
  strings(list: readonly string[]): Data {
    const strings = list.map((text) => this.string(text))
    const table = this.space(8 * (list.length + 1))
    strings.forEach((to, index) => {
      this.pointer(table, 8 * index, to)
    })
    return table
  }

  /** A descriptor of this process that travels along. The other side closes its copy when the batch is over. */
  fd(fd: number): Ref {
    if (this.fds.length === MAX_FDS) throw new RangeError('too many descriptors in a batch')
    this.fds.push(fd)
    return new Ref('fd', this.fds.length - 1)
  }

  /** Return this part of the data with the reply. */
  output(data: Data): void {
    this.#out = data
  }

  call(name: SyscallName, args: readonly Argument[], options: OpOptions = {}): Ref {
    return this.#push(name, abi.sys[name], args, 0, options)
  }

  /**
   * A `clone` or `fork`: the child runs the rest of the batch, and the parent's part is over. `childPid`: where the
   * child finds its own pid, with CLONE_CHILD_SETTID.
   */
  fork(flags: number | bigint, childPid: Data | 0 = 0): Ref {
    // The two architectures disagree about the order of the last two arguments, and the other one is not used.
    return this.#push('clone', abi.sys.clone, [flags, 0, 0, childPid, childPid], FORK, {})
  }

  /** Like `fork`, with clone3(2), whose arguments are a struct. */
  fork3(args: Uint8Array): Ref {
    return this.#push('clone3', abi.sys.clone3, [args, args.length], FORK, {})
  }

  /** Fail with ESTALE unless two pieces of data are equal: the object must still be the one that was checked. */
  equal(a: Data, b: Data, options: OpOptions = {}): void {
    this.#push('compare', OP_EQUAL, [a, b, Math.min(a.size, b.size)], 0, options)
  }

  /** Tell init that the daemon has noted the exit of this process, so that init may forget it. */
  forget(pid: number): void {
    this.#push('forget', OP_FORGET, [pid], 0, {})
  }

  /** After `fork` into a new pid namespace: become the loop of a box's init, with descriptors 3 and 4. */
  serve(): void {
    this.#push('serve', OP_SERVE, [], 0, {})
  }

  /** From now on outlive the daemon, and accept the next one if `ownerUid`, as seen in the box, is its uid. */
  listen(listener: Ref, ownerUid: number): void {
    this.#push('listen', OP_LISTEN, [listener, ownerUid], 0, {})
  }

  #push(name: string, nr: number, args: readonly Argument[], flags: number, options: OpOptions): Ref {
    if (this.ops.length === MAX_OPS) throw new RangeError('too many operations in a batch')
    const words = args.map((arg) =>
      typeof arg === 'string' ? this.string(arg) : arg instanceof Uint8Array ? this.data(arg) : arg,
    )
    this.ops.push({
      name,
      nr,
      args: words,
      flags:
        flags | (options.mayFail ? MAY_FAIL : 0) | (options.scoped ? SCOPED : 0) | (options.send ? SEND : 0),
      what: options.what,
      errors: typeof options.mayFail === 'object' ? options.mayFail : undefined,
    })
    return new Ref('op', this.ops.length - 1)
  }

  /** The bytes to send. `base` is the address to which the other side reads them. */
  encode(base: bigint, sequence: number): Buffer {
    const dataAt = HEAD_SIZE + this.ops.length * OP_SIZE
    const size = dataAt + this.#dataSize
    if (size > REGION_SIZE) throw new RangeError(`a batch of ${size} bytes is over ${REGION_SIZE}`)
    const bytes = Buffer.alloc(size)
    const head = [size, this.ops.length, this.fds.length]
    head.push(this.#out ? dataAt + this.#out.offset : 0, this.#out?.size ?? 0, sequence)
    head.forEach((value, index) => {
      bytes.writeUInt32LE(value, 4 * index)
    })
    this.ops.forEach((op, index) => {
      const at = HEAD_SIZE + index * OP_SIZE
      let flags = op.flags
      op.args.forEach((arg, position) => {
        let value: bigint
        if (arg instanceof Ref) {
          flags |= 1 << position
          value = BigInt(arg.kind === 'fd' ? arg.index : this.fds.length + arg.index)
        } else if (arg instanceof Data) value = base + BigInt(dataAt + arg.offset)
        else value = BigInt(arg)
        bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at + 8 + 8 * position)
      })
      bytes.writeInt32LE(op.nr, at)
      bytes.writeUInt32LE(flags, at + 4)
    })
    let at = dataAt
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    for (const { at: offset, to } of this.#pointers) {
      bytes.writeBigUInt64LE(base + BigInt(dataAt + to.offset), dataAt + offset)
    }
    return bytes
  }

  /** How many descriptors come back, given the results. None if the other side stopped at a failure. */
  sent(results: readonly number[]): number {
    const last = this.ops[results.length - 1]
    if (last && (results.at(-1) ?? 0) < 0 && !(last.flags & MAY_FAIL)) return 0
    return this.ops.slice(0, results.length).filter((op, i) => op.flags & SEND && (results[i] ?? -1) >= 0)
      .length
  }

  /** The first failure that the batch did not allow, if any. */
  failure(results: readonly number[]): BatchError | undefined {
    for (const [index, result] of results.entries()) {
      const op = this.ops[index]
      if (!op || result >= 0) continue
      if (op.flags & MAY_FAIL && (!op.errors || op.errors.includes(errnoName(-result)))) continue
      return new BatchError(op, -result)
    }
    return undefined
  }
}
