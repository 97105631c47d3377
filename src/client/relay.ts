/** Copying between a stream of this process and a pipe whose other end is in a box. */
import { read as readCallback, write as writeCallback } from 'node:fs'
import { closeDescriptor, isReadable, setNonblocking } from '../../ffi/pty.ts'

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

async function writeAll(fd: number, bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length; ) {
    const n = await write(fd, bytes.subarray(at))
    if (n < 0) return false
    at += n
  }
  return true
}

/** Standard input of this process into `pipe`; closing it tells the command of the end. */
export async function relayInput(pipe: number): Promise<void> {
  const buffer = new Uint8Array(CHUNK)
  for (let n = await read(0, buffer); n > 0; n = await read(0, buffer)) {
    if (!(await writeAll(pipe, buffer.subarray(0, n)))) break
  }
  closeDescriptor(pipe)
}

/**
 * What comes out of `pipe` to `to` of this process; undefined throws it away. Ends with the pipe, or when `over`
 * has resolved and nothing is left to read: a process that the command left behind may hold the pipe open.
 */
export async function relayOutput(pipe: number, to: number | undefined, over: Promise<void>): Promise<void> {
  if (to === undefined) return closeDescriptor(pipe)
  setNonblocking(pipe) // this end only: the box's is another open file description
  const reader = Bun.file(pipe).stream().getReader()
  let writing = false
  const copied = (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      writing = true
      if (!(await writeAll(to, value))) return
      writing = false
    }
  })().finally(() => closeDescriptor(pipe)) // ends a command that writes to nobody (SIGPIPE)
  const drained = over.then(async () => {
    // A chunk that has been read is handed over before the event loop turns, so none is missed in between.
    do await new Promise((resolve) => setImmediate(resolve))
    while (writing || isReadable(pipe))
  })
  await Promise.race([copied, drained])
}
