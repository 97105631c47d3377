/**
 * Standard input, output and error of `coop run` and `coop exec` without a terminal. Pipes go into the box as
 * they are: no byte passes through coop, and the daemon may die meanwhile. Anything else (a file, a terminal,
 * a socket) stays here, and a pipe is put in between, so that a box gets bytes and never the thing itself.
 */
import { closeSync, fstatSync, read as readCallback, write as writeCallback } from 'node:fs'
import { connectUnix, SOCK_DGRAM, sendDescriptors } from '../../ffi/descriptors.ts'
import { pipe } from '../../ffi/pipes.ts'
import { isReadable } from '../../ffi/pty.ts'
import { descriptorSocket, type Paths } from '../config/paths.ts'

const CHUNK = 64 * 1024
const NULL_DEVICE = 0x103 // makedev(1, 3)

export interface Stdio {
  /** What the daemon finds the descriptors under. */
  readonly token: string
  /** Resolves when all that the command wrote has come out. */
  finish(): Promise<void>
}

function read(fd: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve) =>
    readCallback(fd, buffer, 0, buffer.length, null, (error, n) => resolve(error ? 0 : n)),
  )
}

function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve) =>
    writeCallback(fd, bytes, 0, bytes.length, null, (error, n) => resolve(error ? -1 : n)),
  )
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length; ) {
    const n = await writeSome(fd, bytes.subarray(at))
    if (n < 0) return false
    at += n
  }
  return true
}

/** Copy until one end closes, then close both. Closing is how either side learns of the other's end. */
async function relay(from: number, to: number, close: readonly number[]): Promise<void> {
  const buffer = new Uint8Array(CHUNK)
  for (;;) {
    const n = await read(from, buffer)
    if (n <= 0 || !(await writeAll(to, buffer.subarray(0, n)))) break
  }
  for (const fd of close) closeSync(fd)
}

/** Like relay, and stops when `over` has resolved and nothing is left to read. */
async function relayOutput(from: number, to: number, over: Promise<void>): Promise<void> {
  const done = relay(from, to, [from])
  const drained = over.then(async () => {
    // A process that the command left behind may hold the pipe open for ever.
    while (isReadable(from)) await new Promise((resolve) => setImmediate(resolve))
  })
  await Promise.race([done, drained])
}

function isNull(fd: number): boolean {
  const stat = fstatSync(fd)
  return stat.isCharacterDevice() && stat.rdev === NULL_DEVICE
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

/** Hand the command's descriptors to the daemon, which must be asked for the command after this. */
export function passStdio(paths: Paths): Stdio {
  const given: number[] = []
  const ours: number[] = []
  const outputs: Promise<void>[] = []
  const over = Promise.withResolvers<void>()
  for (const fd of [0, 1, 2]) {
    if (isOpen(fd) && fstatSync(fd).isFIFO()) {
      given.push(fd)
      continue
    }
    const [readEnd, writeEnd] = pipe()
    given.push(fd === 0 ? readEnd : writeEnd)
    ours.push(fd === 0 ? readEnd : writeEnd)
    if (fd === 0) {
      if (!isOpen(0) || isNull(0)) closeSync(writeEnd)
      else void relay(0, writeEnd, [writeEnd])
    } else outputs.push(relayOutput(readEnd, isOpen(fd) ? fd : -1, over.promise))
  }
  const token = `${process.pid}.${Math.random().toString(36).slice(2)}`
  const socket = connectUnix(descriptorSocket(paths), SOCK_DGRAM)
  sendDescriptors(socket, Buffer.from(token), given)
  closeSync(socket)
  for (const fd of ours) closeSync(fd)
  return {
    token,
    finish: async () => {
      over.resolve()
      await Promise.all(outputs)
    },
  }
}
