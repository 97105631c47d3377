/** Copying between a stream of this process and a pipe whose other end is in a box. */
import { read as readCallback, write as writeCallback } from 'node:fs'
import { closeDescriptor, isReadable } from '../../ffi/pty.ts'

const CHUNK = 64 * 1024 // the capacity of a pipe (pipe(7))

// The callback forms: they block a thread of the pool, not this process.
function read(fd: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve) =>
    readCallback(fd, buffer, 0, buffer.length, null, (error, n) => resolve(error ? 0 : n)),
  )
}

function write(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve) =>
    writeCallback(fd, bytes, 0, bytes.length, null, (error, n) => resolve(error ? -1 : n)),
  )
}

/** Copy until one side ends. */
async function copy(from: number, to: number): Promise<void> {
  const buffer = new Uint8Array(CHUNK)
  for (let n = await read(from, buffer); n > 0; n = await read(from, buffer)) {
    for (let at = 0; at < n; ) {
      const written = await write(to, buffer.subarray(at, n))
      if (written < 0) return
      at += written
    }
  }
}

/** Standard input of this process into `pipe`; closing it tells the command of the end. */
export async function relayInput(pipe: number): Promise<void> {
  await copy(0, pipe)
  closeDescriptor(pipe)
}

/**
 * What comes out of `pipe` to `to` of this process; undefined throws it away. Ends with the pipe, or when `over`
 * has resolved and nothing is left to read: a process that the command left behind may hold the pipe open.
 */
export async function relayOutput(pipe: number, to: number | undefined, over: Promise<void>): Promise<void> {
  // Closing our end ends a command that writes to nobody (SIGPIPE).
  const copied = to === undefined ? Promise.resolve() : copy(pipe, to)
  const closed = copied.then(() => closeDescriptor(pipe))
  const drained = over.then(async () => {
    while (isReadable(pipe)) await new Promise((resolve) => setImmediate(resolve))
  })
  await Promise.race([closed, drained])
}
