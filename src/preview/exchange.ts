/** One request and its response over a connection to a box. Bodies stream; nothing is collected. */
import { BodyReader, chunk, LAST_CHUNK } from './http-body.ts'
import { BadMessage, type Header, type ResponseHead, readResponseHead, requestHead } from './http-head.ts'
import type { Wire } from './wire.ts'

const HEAD_MS = 600_000 // a development server may compile everything before it answers
const MAX_INTERIM = 50 // answers of the kind 1xx before the real one
const BUFFERED = 256 << 10 // bytes of a response that wait for the browser, before the box has to wait

export interface Outgoing {
  readonly method: string
  readonly target: string
  readonly headers: readonly Header[]
  readonly body: ReadableStream<Uint8Array> | null
  /** The body's length, where the browser named it. */
  readonly length: number | undefined
}

export interface Incoming {
  readonly head: ResponseHead
  readonly body: ReadableStream<Uint8Array> | null
}

/** The connection ended before the answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** Reads the head of the answer. `taken` gets it and the bytes behind it, and decides who reads on before it returns. */
export function awaitHead(
  wire: Wire,
  method: string,
  taken: (head: ResponseHead, rest: Uint8Array) => void,
  failed: (error: Error) => void,
): void {
  let received: Buffer = Buffer.alloc(0)
  let interim = 0
  const stop = (): void => {
    clearTimeout(timer)
    wire.use(undefined)
  }
  const fail = (error: Error): void => {
    stop()
    wire.close()
    failed(error)
  }
  const timer = setTimeout(() => fail(new NoAnswer('it does not answer')), HEAD_MS)
  wire.use({
    data(bytes) {
      received = received.length ? Buffer.concat([received, bytes]) : Buffer.from(bytes)
      try {
        for (;;) {
          const head = readResponseHead(received, method)
          if (!head) return
          received = received.subarray(head.size)
          if (head.status >= 200 || head.status === 101) {
            stop()
            return taken(head, received)
          }
          if (++interim > MAX_INTERIM) throw new BadMessage('it does not come to an answer')
        }
      } catch (error) {
        fail(error as Error)
      }
    },
    ended: () => fail(new NoAnswer('it hung up without an answer')),
  })
  if (wire.hasEnded) fail(new NoAnswer('it hung up without an answer'))
}

/**
 * Sends a request and returns its response. `over` is called once when the response has ended, with the connection if it
 * can be used again; otherwise it is closed. It is not called when this rejects. `signal`: the browser has gone.
 */
export function exchange(
  wire: Wire,
  out: Outgoing,
  signal: AbortSignal,
  over: (reusable: Wire | undefined) => void,
): Promise<Incoming> {
  const { promise, resolve, reject } = Promise.withResolvers<Incoming>()
  const gone = (): void => wire.close()
  let isSent = false
  const finish = (isClean: boolean): void => {
    signal.removeEventListener('abort', gone)
    wire.use(undefined)
    const isReusable = isClean && isSent && !wire.hasEnded
    if (!isReusable) wire.close()
    over(isReusable ? wire : undefined)
  }
  awaitHead(
    wire,
    out.method,
    (head, rest) => resolve({ head, body: responseBody(wire, head, rest, finish) }),
    (error) => {
      signal.removeEventListener('abort', gone)
      reject(error)
    },
  )
  signal.addEventListener('abort', gone)
  if (signal.aborted) gone()
  void send(wire, out).then(
    () => {
      isSent = true
    },
    () => wire.close(), // the browser ended its upload early, or sent another length than it named
  )
  return promise
}

async function send(wire: Wire, out: Outgoing): Promise<void> {
  const { body, length } = out
  await wire.write(requestHead(out.method, out.target, out.headers))
  if (!body) return
  let sent = 0
  for await (const piece of body) {
    if (wire.hasEnded) return // the answer does not depend on the rest
    if (!piece.length) continue
    sent += piece.length
    if (length !== undefined && sent > length) throw new BadMessage('a body longer than announced')
    await wire.write(length === undefined ? chunk(piece) : piece)
  }
  if (length === undefined) await wire.write(LAST_CHUNK)
  else if (sent < length) throw new BadMessage('a body shorter than announced')
}

function responseBody(
  wire: Wire,
  head: ResponseHead,
  rest: Uint8Array,
  finish: (isClean: boolean) => void,
): ReadableStream<Uint8Array> | null {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let isOver = false
  let pieces: Uint8Array[] = []
  const reader = new BodyReader(head.framing, (piece) => void pieces.push(piece))
  /** One piece for all chunks that came together: a chunk of one byte would cost a hundred in the queue. */
  const flush = (): void => {
    const [first] = pieces
    if (!first) return
    controller?.enqueue(pieces.length === 1 ? first : Buffer.concat(pieces))
    pieces = []
    if ((controller?.desiredSize ?? 1) <= 0) wire.pause(true)
  }
  const end = (isClean: boolean, error?: Error): void => {
    if (isOver) return
    isOver = true
    wire.pause(false)
    finish(isClean)
    if (error) controller?.error(error)
    else controller?.close()
  }
  const push = (bytes: Uint8Array): void => {
    try {
      const used = reader.push(bytes)
      flush()
      if (reader.isDone) end(head.persists && used === bytes.length)
    } catch (error) {
      end(false, error as Error)
    }
  }
  if (reader.isDone) {
    end(head.persists && rest.length === 0)
    return null
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start: (it) => {
        controller = it
      },
      pull: () => wire.pause(false),
      cancel: () => {
        controller = undefined
        end(false)
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFERED }),
  )
  wire.use({
    data: push,
    ended: () => end(false, reader.endsWithConnection ? undefined : new NoAnswer('it hung up in its answer')),
  })
  if (rest.length) push(rest)
  return body
}
