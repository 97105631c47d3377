/**
 * One request of a box on its way to the provider, and the answer on its way back. Bodies stream in both directions, each
 * side waiting for the other; whoever hangs up ends both. The answer's bytes pass as they came: they are looked at, never
 * changed, and never held back.
 */
import type { Socket } from 'node:net'
import { BodyReader, chunk, LAST_CHUNK } from '../preview/http-body.ts'
import { BadMessage, type ResponseHead, readResponseHead, requestHead } from '../preview/http-head.ts'
import { type Admitted, checkLength } from './admit.ts'
import { toBox, toProvider } from './headers.ts'
import type { Link, Links } from './links.ts'
import { BadRequest, type RequestHead } from './request-head.ts'
import { UsageReader } from './usage.ts'

const ANSWER_MS = 15 * 60_000 // without a byte: models think for long, and say so every minute or less
const UPLOAD_MS = 60_000 // without a byte of the request's body
const READ_MS = 120_000 // for a box that does not read its answer
const KEPT_BYTES = 4 << 20 // of a request that can be sent once more

export interface Over {
  readonly status: number
  readonly usage: ReturnType<UsageReader['result']>
  readonly sentBytes: number
  readonly receivedBytes: number
  /** Whether the box's connection can have another request. */
  readonly isReusable: boolean
}

export interface ExchangeHouse {
  readonly links: Links
  /** The key for the provider; rejects with NoKey. */
  key(): Promise<string>
  /** Called once, when all is over. */
  over(how: Over): void
}

export class Exchange {
  readonly #client: Socket
  readonly #head: RequestHead
  readonly #to: Admitted
  readonly #house: ExchangeHouse
  readonly #gone = new AbortController()
  readonly #upload: BodyReader
  #link: Link | undefined
  #key = ''
  /** What was sent, as long as it can be sent again. */
  #kept: Uint8Array[] | undefined = []
  #keptBytes = 0
  #sentBytes = 0
  #received: Buffer = Buffer.alloc(0)
  #answer: { readonly head: ResponseHead; readonly body: BodyReader; readonly usage: UsageReader } | undefined
  #answerBytes = 0
  #tail: Buffer = Buffer.alloc(0)
  #isUploadFull = false
  #isAnswerFull = false
  #isOver = false
  #timer: Timer | undefined

  constructor(client: Socket, head: RequestHead, to: Admitted, house: ExchangeHouse) {
    this.#client = client
    this.#head = head
    this.#to = to
    this.#house = house
    this.#upload = new BodyReader(head.framing, (piece) => this.#send(piece))
    client.pause()
  }

  /** Begins. Rejects, before the box has had a byte of an answer, if the provider cannot be asked. */
  async start(): Promise<void> {
    this.#key = await this.#house.key()
    await this.#connect(false)
  }

  async #connect(isFresh: boolean): Promise<void> {
    const { url, provider, box } = this.#to
    const link = await this.#house.links.to(url, isFresh, this.#gone.signal)
    if (this.#isOver) return void link.socket.destroy()
    this.#link = link
    this.#isUploadFull = false
    const { socket } = link
    socket.on('data', this.#data)
    socket.on('close', this.#closed)
    socket.resume()
    this.#wait(ANSWER_MS)
    const about = { provider, host: url.host, key: this.#key, token: box.token }
    const headers = toProvider(this.#head.headers, about)
    const { framing } = this.#head
    if (framing.by === 'length') headers.push(['content-length', `${framing.bytes}`])
    else if (framing.by === 'chunks') headers.push(['transfer-encoding', 'chunked'])
    else if (this.#head.method === 'POST') headers.push(['content-length', '0'])
    this.#write(requestHead(this.#head.method, url.pathname + url.search, headers))
    for (const bytes of this.#kept ?? []) this.#write(bytes)
    if (this.#upload.isDone) return
    if (this.#head.wantsContinue && !isFresh) this.#client.write('HTTP/1.1 100 Continue\r\n\r\n')
    this.#wait(UPLOAD_MS)
    if (!this.#isUploadFull) this.#client.resume()
  }

  /** Takes bytes of the box; returns how many belong to this request. Throws BadRequest. */
  push(bytes: Buffer): number {
    if (this.#upload.isDone || this.#isOver) return 0
    let used: number
    try {
      used = this.#upload.push(bytes)
    } catch (error) {
      if (error instanceof BadMessage) throw new BadRequest(400, 'a malformed body')
      throw error
    }
    if (!this.#upload.isDone) {
      this.#wait(UPLOAD_MS)
      return used
    }
    if (this.#head.framing.by === 'chunks') this.#keepAndWrite(LAST_CHUNK)
    this.#wait(ANSWER_MS)
    return used
  }

  get hasBody(): boolean {
    return this.#upload.isDone
  }

  /** Whether the box has had the beginning of an answer. */
  get hasAnswered(): boolean {
    return this.#answer !== undefined
  }

  #send(piece: Uint8Array): void {
    if (!piece.length) return
    this.#sentBytes += piece.length
    checkLength(this.#sentBytes)
    this.#keepAndWrite(this.#head.framing.by === 'chunks' ? chunk(piece) : piece)
  }

  #keepAndWrite(bytes: Uint8Array): void {
    if (this.#kept) {
      this.#keptBytes += bytes.length
      if (this.#keptBytes > KEPT_BYTES || this.#link?.isReused === false) this.#kept = undefined
      else this.#kept.push(Buffer.from(bytes))
    }
    this.#write(bytes)
  }

  /** Writes to the provider; the box waits until the kernel has taken it. */
  #write(bytes: Uint8Array): void {
    const socket = this.#link?.socket
    if (!socket || socket.write(bytes) || this.#isUploadFull) return
    this.#isUploadFull = true
    this.#client.pause()
    socket.once('drain', () => {
      this.#isUploadFull = false
      if (!this.#isOver && !this.#upload.isDone) this.#client.resume()
    })
  }

  readonly #data = (bytes: Buffer): void => {
    try {
      if (this.#answer) return this.#pass(bytes)
      this.#received = this.#received.length ? Buffer.concat([this.#received, bytes]) : bytes
      for (;;) {
        const head = readResponseHead(this.#received, this.#head.method)
        if (!head) return
        const rest = this.#received.subarray(head.size)
        if (head.status >= 200) return this.#begin(head, rest)
        this.#received = rest
      }
    } catch (error) {
      this.#fail(error instanceof BadMessage ? `its answer is not one: ${error.message}` : String(error))
    }
  }

  #begin(head: ResponseHead, rest: Buffer): void {
    const type = head.headers.find(([name]) => name === 'content-type')?.[1] ?? ''
    const lines = toBox(head.headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const closes = head.framing.by === 'end' || !this.#head.persists || !this.#upload.isDone
    const text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${lines.join('')}${closes ? 'connection: close\r\n' : ''}\r\n`
    if (text.includes(this.#key)) return this.#fail('its answer has the key in it')
    this.#kept = undefined
    const usage = new UsageReader(this.#to.provider, type)
    const body = new BodyReader(head.framing, (piece) => usage.push(piece))
    this.#answer = { head, body, usage }
    const first = Buffer.from(text, 'latin1')
    if (body.isDone) {
      this.#give(first)
      return this.#end(rest.length === 0)
    }
    if (!rest.length) return this.#give(first)
    this.#pass(rest, first)
  }

  /** Passes a piece of the answer on, and only then looks at it. */
  #pass(bytes: Buffer, before?: Buffer): void {
    const answer = this.#answer
    if (!answer) return
    // An answer that repeats the key is cut off: it must not get into the box.
    const seen = this.#tail.length ? Buffer.concat([this.#tail, bytes]) : bytes
    if (seen.includes(this.#key)) return this.#fail('its answer has the key in it')
    this.#tail = Buffer.from(seen.subarray(Math.max(0, seen.length - this.#key.length + 1)))
    this.#give(before ? Buffer.concat([before, bytes]) : bytes)
    this.#answerBytes += bytes.length
    const used = answer.body.push(bytes)
    if (answer.body.isDone) return this.#end(used === bytes.length)
    this.#wait(ANSWER_MS)
  }

  #give(bytes: Buffer): void {
    if (this.#client.write(bytes) || this.#isAnswerFull) return
    this.#isAnswerFull = true
    this.#link?.socket.pause()
    this.#wait(READ_MS)
    this.#client.once('drain', () => {
      this.#isAnswerFull = false
      if (this.#isOver) return
      this.#wait(ANSWER_MS)
      this.#link?.socket.resume()
    })
  }

  readonly #closed = (): void => {
    if (this.#isOver) return
    if (this.#answer?.body.endsWithConnection) return this.#end(false)
    const link = this.#link
    if (!this.#answer && !this.#received.length && link?.isReused && this.#kept) {
      // It had hung up before this request reached it.
      this.#link = undefined
      void this.#connect(true).catch((error) => this.#fail(String(error.message ?? error)))
      return
    }
    this.#fail('it hung up')
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#fail('it took too long'), ms)
    this.#timer.unref()
  }

  /** Why the provider's side has failed; the server tells the box. */
  failure: string | undefined

  #fail(why: string): void {
    if (this.#isOver) return
    this.failure = why
    this.#finish(false, false)
  }

  #end(isClean: boolean): void {
    const { head } = this.#answer ?? {}
    const canKeep = isClean && head?.persists === true && this.#upload.isDone
    this.#finish(canKeep, this.#upload.isDone && this.#head.persists && head?.framing.by !== 'end')
  }

  /** The box has hung up, or has sent what no request is. */
  abort(): void {
    this.#finish(false, false)
  }

  #finish(keepsLink: boolean, isReusable: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#gone.abort()
    const socket = this.#link?.socket
    socket?.off('data', this.#data)
    socket?.off('close', this.#closed)
    if (socket && keepsLink) this.#house.links.keep(this.#to.url, socket)
    else socket?.destroy()
    this.#house.over({
      status: this.#answer?.head.status ?? 0,
      usage: this.#answer?.usage.result(),
      sentBytes: this.#sentBytes,
      receivedBytes: this.#answerBytes,
      isReusable,
    })
  }
}
