/**
 * A streaming reader of tar archives: ustar, pax, GNU. It needs constant memory: headers are bounded, and data is
 * passed on as it arrives. Every fault is an error that names the entry.
 */
import { badLayer, shown, type TarEntry, TYPES, XATTR, xattrsOf } from './tar-entry.ts'
import {
  BLOCK,
  checksumFits,
  isZero,
  number,
  parseHeader,
  parsePax,
  parseTime,
  type RawHeader,
} from './tar-header.ts'
import {
  dataSparse,
  MAX_SEGMENTS,
  oldSparseBlock,
  paxSparse,
  type Segment,
  segmentsFit,
} from './tar-sparse.ts'

const MAX_HEADER = 1 << 20 // bytes of one pax header or long name: a thousand times the usual size
const MAX_GLOBALS = 256 // records of all global headers together

export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Buffer = Buffer.alloc(0)
  #globals = new Map<string, string>()
  /** Unread bytes of the current entry, and the padding to whole blocks. */
  #left = 0
  #padding = 0
  #segments: Segment[] | undefined
  /** The next segment, and the number of bytes read of it, or of an ordinary file. */
  #segment = 0
  #done = 0
  #last = 'the first entry'
  #where = 'at the start'

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Bytes that were read from the source but not yet consumed. */
  get buffered(): number {
    return this.#chunk.length
  }

  /** Reads more bytes into `#chunk`; false at the end. */
  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next()
    if (done) return false
    const fresh = Buffer.from(value.buffer, value.byteOffset, value.length)
    this.#chunk = this.#chunk.length ? Buffer.concat([this.#chunk, fresh]) : fresh
    return true
  }

  /** Exactly `size` bytes, or fewer at the end of the archive. */
  async #take(size: number): Promise<Buffer> {
    while (this.#chunk.length < size && (await this.#more()));
    const bytes = this.#chunk.subarray(0, size)
    this.#chunk = this.#chunk.subarray(bytes.length)
    return bytes
  }

  async #must(size: number): Promise<Buffer> {
    const bytes = await this.#take(size)
    if (bytes.length < size) throw badLayer(`the archive ends in the middle of ${this.#last}`)
    return bytes
  }

  async #skip(size: number): Promise<void> {
    for (let left = size; left > 0; ) {
      if (!this.#chunk.length && !(await this.#more()))
        throw badLayer(`the archive ends in the middle of ${this.#last}`)
      const n = Math.min(left, this.#chunk.length)
      this.#chunk = this.#chunk.subarray(n)
      left -= n
    }
  }

  /** The contents of a header that is an entry itself. */
  async #extension(raw: RawHeader): Promise<Buffer> {
    if (!(raw.size >= 0 && raw.size <= MAX_HEADER))
      throw badLayer(`a header ${this.#where} has ${raw.size} bytes`)
    const bytes = Buffer.from(await this.#must(raw.size))
    await this.#skip((BLOCK - (raw.size % BLOCK)) % BLOCK)
    return bytes
  }

  /** The next entry; unread data of the one before is skipped. Undefined at the end. */
  async next(): Promise<TarEntry | undefined> {
    await this.#skip(this.#left + this.#padding)
    this.#left = this.#padding = 0
    let pax: [string, string][] = []
    let longName: string | undefined
    let longLink: string | undefined
    for (let headers = 0; ; headers++) {
      if (headers > 16) throw badLayer(`there are too many headers ${this.#where}`)
      const block = Buffer.from(await this.#take(BLOCK))
      if (block.length === 0 && headers === 0) return undefined // some writers leave out the mark at the end
      if (block.length < BLOCK) throw badLayer(`the archive ends in the middle of a header ${this.#where}`)
      if (isZero(block)) {
        if (headers) throw badLayer(`a header ${this.#where} has no entry`)
        await this.#drain()
        return undefined
      }
      if (!checksumFits(block)) throw badLayer(`the header ${this.#where} is damaged`)
      const raw = parseHeader(block)
      if (raw.type === 'x' || raw.type === 'X' || raw.type === 'g') {
        const records = parsePax(await this.#extension(raw))
        if (!records) throw badLayer(`a pax header ${this.#where} is damaged`)
        if (raw.type === 'g') this.#addGlobals(records)
        else pax = records
      } else if (raw.type === 'L') longName = cut(await this.#extension(raw))
      else if (raw.type === 'K') longLink = cut(await this.#extension(raw))
      else if (raw.type === 'V' || raw.type === 'M' || raw.type === 'N') await this.#extension(raw)
      else return await this.#entry(raw, block, pax, longName, longLink)
    }
  }

  #addGlobals(records: readonly [string, string][]): void {
    for (const [key, value] of records) {
      if (value === '') this.#globals.delete(key)
      else this.#globals.set(key, value)
    }
    if (this.#globals.size > MAX_GLOBALS)
      throw badLayer(`the archive has more than ${MAX_GLOBALS} global headers`)
  }

  async #entry(
    raw: RawHeader,
    block: Buffer,
    records: readonly [string, string][],
    longName: string | undefined,
    longLink: string | undefined,
  ): Promise<TarEntry> {
    const pax = new Map(this.#globals)
    for (const [key, value] of records) {
      if (value === '' && !XATTR.test(key)) pax.delete(key)
      else pax.set(key, value)
    }
    const name = pax.get('GNU.sparse.name') ?? pax.get('path') ?? longName ?? raw.name
    this.#last = shown(name)
    this.#where = `after ${this.#last}`
    const integer = (key: string, header: number): number => {
      const text = pax.get(key)
      const value = text === undefined ? header : /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
      if (!Number.isSafeInteger(value) || value < 0) throw badLayer(`${this.#last} has a wrong ${key}`)
      return value
    }
    // Old archives mark folders only by a trailing slash.
    const known = TYPES[raw.type]
    const type = known === 'file' && name.endsWith('/') && raw.type !== 'S' ? 'folder' : known
    if (!type)
      throw badLayer(`${this.#last} is of a type that coop does not know: ${JSON.stringify(raw.type)}`)
    if (name.includes('\0')) throw badLayer(`${this.#last} has a NUL byte in its name`)
    const linkName = pax.get('linkpath') ?? longLink ?? raw.linkName
    if (linkName.includes('\0')) throw badLayer(`${this.#last} has a NUL byte in its link target`)
    const stored = integer('size', raw.size)
    // Links and folders may carry a meaningless size. Hard links with data, which libarchive can write, are refused.
    this.#left = type === 'file' ? stored : 0
    if (type === 'hardlink' && stored > 0) throw badLayer(`${this.#last} is a hard link with data of its own`)
    this.#padding = (BLOCK - (this.#left % BLOCK)) % BLOCK
    this.#segment = this.#done = 0
    const size = type === 'file' ? await this.#sparse(raw, block, pax, records) : 0
    const mtime = pax.has('mtime')
      ? parseTime(pax.get('mtime') ?? '')
      : BigInt(Math.trunc(Number.isFinite(raw.mtime) ? raw.mtime : 0)) * 1_000_000_000n
    if (mtime === undefined) throw badLayer(`${this.#last} has a wrong time`)
    if (!Number.isSafeInteger(raw.mode)) throw badLayer(`${this.#last} has a wrong mode`)
    return {
      type,
      name,
      linkName,
      mode: raw.mode & 0o7777,
      uid: integer('uid', raw.uid),
      gid: integer('gid', raw.gid),
      mtime,
      size,
      segments: this.#segments,
      xattrs: xattrsOf(pax),
      device: { major: raw.major, minor: raw.minor },
    }
  }

  /** Returns the real size; sets `#segments` if the file is sparse. */
  async #sparse(
    raw: RawHeader,
    block: Buffer,
    pax: ReadonlyMap<string, string>,
    records: readonly [string, string][],
  ): Promise<number> {
    this.#segments = undefined
    const { segments, realSize } = await this.#sparseMap(raw, block, pax, records)
    if (!segments) return this.#left
    if (!segmentsFit(segments, realSize, this.#left))
      throw badLayer(`${this.#last} has a wrong map of its holes`)
    this.#segments = segments
    return realSize
  }

  async #sparseMap(
    raw: RawHeader,
    block: Buffer,
    pax: ReadonlyMap<string, string>,
    records: readonly [string, string][],
  ): Promise<{ segments: Segment[] | undefined; realSize: number }> {
    if (raw.type === 'S') {
      let { segments, more } = oldSparseBlock(block, true)
      while (more) {
        const next = oldSparseBlock(await this.#must(BLOCK), false)
        segments = segments.concat(next.segments)
        more = next.more
        if (segments.length > MAX_SEGMENTS) throw badLayer(`${this.#last} has too many holes`)
      }
      return { segments, realSize: number(block, 483, 12) }
    }
    const realSize = Number(pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size') ?? Number.NaN)
    if (pax.get('GNU.sparse.major') !== '1') return { segments: paxSparse(records), realSize }
    let map = dataSparse(this.#chunk.subarray(0, 0))
    let head: Buffer = Buffer.alloc(0)
    while (!map) {
      if (this.#left < BLOCK || head.length > MAX_SEGMENTS * 32)
        throw badLayer(`${this.#last} has a wrong map of its holes`)
      // Double the amount each time, so that parsing from the start again costs little.
      const size = Math.min(Math.max(BLOCK, head.length), this.#left - (this.#left % BLOCK))
      const before = head.length
      head = Buffer.concat([head, await this.#must(size)])
      this.#left -= size
      map = dataSparse(head)
      if (!map) continue
      const used = Math.ceil(map.size / BLOCK) * BLOCK
      if (used < before) throw badLayer(`${this.#last} has a wrong map of its holes`)
      this.#chunk = Buffer.concat([head.subarray(used), this.#chunk]) // the bytes after the map are data
      this.#left += head.length - used
    }
    return { segments: map.segments, realSize }
  }

  /**
   * The next piece of the current file's data with its offset; undefined at the end. Valid until the next call.
   */
  async data(): Promise<{ readonly offset: number; readonly bytes: Buffer } | undefined> {
    if (this.#left === 0) return undefined
    let part = this.#segments?.[this.#segment]
    while (part && part.size === this.#done) {
      this.#done = 0
      part = this.#segments?.[++this.#segment]
    }
    if (!this.#chunk.length && !(await this.#more()))
      throw badLayer(`the archive ends in the middle of ${this.#last}`)
    const n = Math.min(this.#left, this.#chunk.length, part ? part.size - this.#done : this.#left)
    const bytes = this.#chunk.subarray(0, n)
    this.#chunk = this.#chunk.subarray(n)
    this.#left -= n
    const offset = (part?.offset ?? 0) + this.#done
    this.#done += n
    return { offset, bytes }
  }

  /** Reads to the end of the source: bytes after the end of the archive count for its digest. */
  async #drain(): Promise<void> {
    this.#chunk = Buffer.alloc(0)
    while (!(await this.#source.next()).done);
  }

  /** Releases the source. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }
}

function cut(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
}
