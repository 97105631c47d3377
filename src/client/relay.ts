/** Copying between a stream of this process and a pipe whose other end is in a box. */
import { fstatSync, readSync, write as writeCallback } from 'node:fs'
import { growPipe } from '../../ffi/pipes.ts'
import { closeDescriptor, isReadable, setNonblocking, writeNonblocking } from '../../ffi/pty.ts'

// Nothing here may wait in a thread of Bun's pool but the writes to our own output: the pool has as many threads
// as the machine has processors, and a read that waits for input would keep the output from being written.

const CHUNK = 256 * 1024 // bytes
const RETRY_MS = 1 // a full pipe has no event here; with 1 MiB of room that is 1 GB/s
const PIPE_SIZE = 1 << 20 // bytes; what an ordinary user may ask for (pipe(7), pipe-max-size)

function write(fd: number, bytes: Uint8Array): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) =>
    writeCallback(fd, bytes, 0, bytes.length, null, (error, n) => resolve(error ?? n)),
  )
}

/** Returns why not all of it could be written. */
async function writeAll(fd: number, bytes: Uint8Array): Promise<NodeJS.ErrnoException | undefined> {
  for (let at = 0; at < bytes.length; ) {
    const n = await write(fd, bytes.subarray(at))
    if (typeof n !== 'number') return n
    at += n
  }
}

/** Our input, from where it stands: of a file the rest, as a shell's `read` left it. */
async function* input(): AsyncGenerator<Uint8Array> {
  if (!fstatSync(0).isFile()) {
    yield* Bun.file(0).stream()
    return
  }
  for (;;) {
    const chunk = new Uint8Array(CHUNK)
    const n = readSync(0, chunk, 0, CHUNK, null) // a file never waits for somebody
    if (n === 0) return
    yield chunk.subarray(0, n)
  }
}

/** Standard input of this process into `pipe`; closing it tells the command of the end. */
export async function relayInput(pipe: number): Promise<void> {
  setNonblocking(pipe) // this end only: the box's is another open file description
  growPipe(pipe, PIPE_SIZE)
  try {
    for await (const chunk of input()) {
      for (let at = 0; at < chunk.length; ) {
        const n = writeNonblocking(pipe, chunk.subarray(at))
        if (n < 0) return // nobody reads any more
        if (n === 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        at += n
      }
    }
  } catch {
    // Input that cannot be read, such as a folder, is the end of input.
  } finally {
    closeDescriptor(pipe)
  }
}

/**
 * What comes out of `pipe` to `to` of this process; undefined throws it away. Ends with the pipe, or when `over`
 * has resolved and nothing is left to read: a process that the command left behind may hold the pipe open. Resolves
 * with the errno's name when output was lost; a reader that has gone away wants no more of it.
 */
export async function relayOutput(
  pipe: number,
  to: number | undefined,
  over: Promise<void>,
): Promise<string | undefined> {
  if (to === undefined) {
    closeDescriptor(pipe)
    return
  }
  let lost: string | undefined
  setNonblocking(pipe)
  const reader = Bun.file(pipe).stream().getReader()
  let writing = false
  const copied = (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      writing = true
      const error = await writeAll(to, value)
      if (error && error.code !== 'EPIPE') lost = error.code ?? String(error)
      if (error) return void reader.cancel().catch(() => {}) // it has a descriptor of its own
      writing = false
    }
  })().finally(() => closeDescriptor(pipe)) // ends a command that writes to nobody (SIGPIPE)
  const drained = over.then(async () => {
    // A chunk that has been read is handed over before the event loop turns, so none is missed in between.
    do await new Promise((resolve) => setImmediate(resolve))
    while (writing || isReadable(pipe))
  })
  await Promise.race([copied, drained])
  return lost
}
