/** One PTY of a box as the daemon holds it: reads the master, keeps the ring, offers bytes to clients. */
import {
  closeDescriptor,
  isReadable,
  setNonblocking,
  setWindowSize,
  writeNonblocking,
} from '../../ffi/pty.ts'
import { windowSize } from '../../ffi/terminal.ts'
import type { Watched, Watcher } from '../../ffi/watcher.ts'
import type { WindowSize } from '../core/window-size.ts'
import type { TypedDirectly } from '../protocol/frames.ts'
import type { Picture } from '../screen/pictures.ts'
import type { PtyClient, PtyEnd, PtyListener } from './pty-client.ts'
import { AHEAD, RING_SIZE, type Ring, type Typed } from './ring.ts'
import type { ScreenKeeper } from './screen-keeper.ts'
import { boundedSize, commonSize, isLarger } from './window.ts'

interface Input {
  readonly bytes: Uint8Array
  /** Whose bytes these are, and how much of that was written before them. */
  readonly from: Typed
  /** Told how much of all that has been written now. */
  readonly written: (offset: number) => void
}

const MAX_INPUT = 1 << 20 // bytes queued for a program that does not read; more is refused
const SMALL = 2048 // bytes; who writes more is likely to go on
const TURN = 256 * 1024 // bytes read before the event loop gets its turn
const TURN_MS = 4 // the same, of output that is dear to look at (src/vt/attention.ts)

// A client that keeps up sees every byte, also across a crash of the daemon: the program waits for it as it would
// for any terminal. What clients have not got yet must stay in the ring, with room for what comes when the next
// daemon reads before they are back.
const WINDOW = RING_SIZE / 2 // bytes that the program may be ahead of the slowest client that counts
const RETURN_ROOM = RING_SIZE / 4
// How long one client may hold everybody up before it is excused. In turns of the event loop: time in which this
// process was stopped or had no processor is not the client's.
const PATIENCE_TURN_MS = 20
const PATIENCE_TURNS = 50
const PATIENCE_BYTES = 512 * 1024 // that it must take meanwhile: 0.5 MB/s is what counts as keeping up
const RETURN_MS = 10_000 // what clients get to come back to a new daemon

const KEY = 16 // bytes; the longest of what a key or a click sends, more or less
const ECHO_US = 200 // how long an answer to a key is waited for, with everything else
const SILENT_MS = 50 // that nothing is waited for, of a program that did not answer
const SAY_AGAIN_MS = 5
const GROW_MS = 300 // a client that left may be back at once; a program that drew itself for nothing flickers

export class Pty {
  readonly id: number
  readonly ring: Ring
  readonly #keeper: ScreenKeeper
  readonly #master: number
  readonly #watched: Watched
  readonly #clients = new Set<PtyClient>()
  #size: WindowSize
  #input: Input[] = []
  #inputSize = 0
  #closed = false
  #growing: Timer | undefined
  #paused: Timer | undefined
  #waited = 0
  #sinceWait = 0
  #silentUntil = 0
  /** What coop has to say as soon as everything before it was taken. */
  readonly #unsaid: Buffer[] = []
  /** Set while a client reads, to look whether it still does. */
  #leased: Timer | undefined
  /** Clients of the daemon before us: how many are still to come, and how far the program may run until then. */
  #awaited = 0
  #awaitedTimer: Timer | undefined
  readonly #awaitedFloor: number
  readonly #closers = new Set<(end: PtyEnd) => void>()
  readonly #listeners = new Set<PtyListener>()

  /** Owns `master`, `ring` and `keeper` from now on. */
  constructor(id: number, master: number, ring: Ring, keeper: ScreenKeeper, watcher: Watcher) {
    this.id = id
    this.ring = ring
    this.#keeper = keeper
    this.#master = master
    this.#size = boundedSize(windowSize(master) ?? { columns: 80, rows: 24 })
    keeper.onRoom = () => this.proceed()
    setNonblocking(master)
    this.#watched = watcher.watch(master, () => this.#ready())
    this.#awaitedFloor = ring.offset - WINDOW + RETURN_ROOM
    this.#awaited = ring.clients
    if (this.#awaited) this.#awaitedTimer = setTimeout(() => this.#allBack(), RETURN_MS)
    this.#arm(true)
  }

  /** Returns what ends it. */
  listen(listener: PtyListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get clients(): ReadonlySet<PtyClient> {
    return this.#clients
  }

  get size(): WindowSize {
    return this.#size
  }

  /** Its ring cannot be read any more. */
  get closed(): boolean {
    return this.#closed
  }

  attach(client: PtyClient): void {
    this.#clients.add(client)
    this.fit()
    if (this.#awaited && --this.#awaited === 0) this.#allBack()
    this.#counted()
    this.#share()
  }

  detach(client: PtyClient): void {
    if (!this.#clients.delete(client)) return
    this.fit()
    this.#counted()
    this.proceed()
    this.takeBack()
  }

  #counted(): void {
    if (!this.#closed) this.ring.clients = this.#clients.size + this.#awaited
  }

  #allBack(): void {
    clearTimeout(this.#awaitedTimer)
    this.#awaited = 0
    this.#counted()
    this.proceed()
  }

  /** Input, in order. False when the program has not read for too long. */
  write(bytes: Uint8Array, from: Typed, written: Input['written']): boolean {
    if (this.#closed || this.#inputSize + bytes.length > MAX_INPUT) return false
    for (const listener of this.#listeners) listener.input?.(bytes)
    this.#input.push({ bytes: new Uint8Array(bytes), from, written })
    this.#inputSize += bytes.length
    if (this.#input.length > 1) return true
    if (bytes.length > KEY || this.#paused || performance.now() < this.#silentUntil) this.#writeInput()
    else this.#writeKey()
    return true
  }

  /** What a program answers to a key comes so soon that waking up for it would take longer than waiting. */
  #writeKey(): void {
    this.#watched.arm({ reading: false, writing: false }) // else it wakes somebody all the same
    this.#writeInput()
    if (isReadable(this.#master, ECHO_US)) return this.#read()
    this.#silentUntil = performance.now() + SILENT_MS
    this.#arm(true)
  }

  /** What a client needs to type into the terminal by itself: the master, the pipe of the ring, and its file. */
  get descriptors(): readonly number[] {
    return [this.#master, ...this.ring.descriptors]
  }

  /** A client has typed and read by itself. Everything is told in the order in which it happened. */
  typed({ read, typedAt, bytes }: TypedDirectly): void {
    this.#readKnown(typedAt)
    if (bytes.length) for (const listener of this.#listeners) listener.input?.(bytes)
    this.#readKnown(read)
    this.#read()
  }

  /** What a client has read by itself, up to an offset. */
  #readKnown(to: number): void {
    while (!this.#closed) {
      const at = this.ring.offset
      const known = this.ring.takeKnown(to)
      if (!known) return
      this.#tell(at, known, true)
    }
  }

  /** Read here again what a client may be reading: all that has come is known then. */
  takeBack(): void {
    if (this.#closed) return
    if (this.ring.sharedTo) this.ring.sharedTo = 0
    this.#read()
  }

  /** Take the size that fits all clients: a smaller one at once, a larger one when it stays so for a moment. */
  fit(): void {
    clearTimeout(this.#growing)
    const wanted = commonSize(this.#clients, Date.now())
    if (!wanted || this.#closed) return
    // Whose window is the only one knows what it wants.
    if (this.#clients.size > 1 && isLarger(wanted, this.#size))
      this.#growing = setTimeout(() => this.#resize(wanted), GROW_MS)
    else this.#resize(wanted)
  }

  #resize({ columns, rows }: WindowSize): void {
    if (this.#closed || (columns === this.#size.columns && rows === this.#size.rows)) return
    this.#size = { columns, rows }
    this.takeBack() // what came before is of the old size
    this.#keeper.resize(this.#size)
    for (const listener of this.#listeners) listener.resize?.()
    setWindowSize(this.#master, this.#size)
    for (const client of this.#clients) client.resized()
  }

  /** Something that coop itself says on the terminal. */
  say(text: string): void {
    this.#unsaid.push(Buffer.from(text))
    if (this.#unsaid.length === 1) this.#sayAll()
  }

  #sayAll(): void {
    while (this.#unsaid[0] && !this.#closed) {
      this.takeBack()
      const offset = this.ring.offset
      if (this.#keeper.room() <= 0 || !this.ring.append(this.#unsaid[0])) {
        setTimeout(() => this.#sayAll(), SAY_AGAIN_MS)
        return
      }
      const bytes = this.#unsaid.shift()
      if (bytes) this.#tell(offset, bytes, false)
    }
  }

  /** How it looks now, as sequences for a terminal that was just reset. Needs `loadScreens`. */
  screen(then: (offset: number, bytes: Uint8Array) => void): void {
    this.#keeper.screen(then)
  }

  /** What of it fits into a window of another size. Needs `loadScreens`. */
  picture(window: WindowSize, then: (offset: number, picture: Picture) => void): void {
    this.#keeper.picture(window, then)
  }

  /** Resolves when everything that was written before has been read. */
  async drained(): Promise<void> {
    do {
      this.takeBack()
      await new Promise((resolve) => setImmediate(resolve))
    } while (!this.#closed && (this.#paused || isReadable(this.#master)))
  }

  /** Be told when the terminal is gone. Returns what takes that back. */
  onClose(tell: (end: PtyEnd) => void): () => void {
    this.#closers.add(tell)
    return () => this.#closers.delete(tell)
  }

  close(end: PtyEnd): void {
    if (this.#closed) return
    this.takeBack() // its last words
    this.#closed = true
    this.ring.sharedTo = 0
    for (const timer of [this.#paused, this.#growing, this.#awaitedTimer, this.#leased]) clearTimeout(timer)
    this.#watched.stop()
    closeDescriptor(this.#master)
    for (const tell of this.#closers) tell(end)
    this.ring.close()
    this.#keeper.close()
  }

  /** A client has got further, or is gone. */
  proceed(): void {
    if (this.#paused && !this.#closed && this.#room() > 0) this.#resume()
  }

  #ready(): void {
    if (this.#input.length) this.#writeInput()
    if (!this.#paused) this.#read()
  }

  #arm(reading: boolean): void {
    if (!this.#closed) this.#watched.arm({ reading, writing: this.#input.length > 0 })
  }

  #resume(): void {
    clearTimeout(this.#paused)
    this.#paused = undefined
    this.#read()
  }

  /** Bytes that may be read before somebody who counts would be left behind. */
  #room(): number {
    let floor = this.#awaited ? this.#awaitedFloor : Number.POSITIVE_INFINITY
    for (const { position } of this.#clients) if (position !== undefined && position < floor) floor = position
    return Math.min(floor + WINDOW - this.ring.offset, this.#keeper.room())
  }

  // Init keeps the terminal's other side open, so that this ends only with `close`, also between restarts.
  #read(): void {
    if (this.#closed || this.#paused) return
    clearTimeout(this.#leased)
    const until = performance.now() + TURN_MS
    for (let left = TURN; left > 0 && performance.now() < until; ) {
      const room = this.#room()
      if (room <= 0) {
        if (this.ring.sharedTo) this.ring.sharedTo = 0
        this.#paused = setTimeout(() => this.#impatient(), PATIENCE_TURN_MS)
        return this.#arm(false)
      }
      const offset = this.ring.offset
      const taken = this.ring.take(this.#master, room)
      if (taken === 'gone') return // the box has ended: its end is told elsewhere
      if (!taken) break
      if ('leasedFor' in taken) {
        this.#leased = setTimeout(() => this.#read(), taken.leasedFor + 1)
        this.#share()
        return this.#arm(false)
      }
      const { bytes, byClient } = taken
      left -= bytes.length
      this.#sinceWait += bytes.length
      if (this.#sinceWait > PATIENCE_BYTES) this.#waited = 0
      this.#tell(offset, bytes, byClient)
      if (this.#closed) return
      if (bytes.length < SMALL && !byClient) break // most likely all there is; else we are called again
    }
    this.#share()
    this.#arm(true)
  }

  /** Let the only client read by itself while its user types, no further than what the daemon can follow. */
  #share(): void {
    const [client, ...others] = this.#clients
    const isShared = client?.isDirect === true && !others.length && !this.#awaited
    if (this.#closed) return
    const { offset, sharedTo } = this.ring
    if (!isShared && !sharedTo) return
    const to = isShared ? offset + Math.min(AHEAD, Math.max(this.#keeper.room(), 0)) : 0
    if (to === 0 || to > sharedTo + AHEAD / 2 || to < sharedTo) this.ring.sharedTo = to
  }

  #impatient(): void {
    this.#paused = undefined
    if (this.#waited === 0) this.#sinceWait = 0
    if (++this.#waited < PATIENCE_TURNS) return this.#read()
    this.#waited = 0
    for (const client of this.#clients) {
      const { position } = client
      if (position !== undefined && position + WINDOW <= this.ring.offset) client.excuse()
    }
    this.#read()
  }

  #tell(offset: number, bytes: Uint8Array, byClient: boolean): void {
    for (const listener of this.#listeners) listener.output?.(bytes)
    for (const client of this.#clients) client.output(offset, bytes, byClient)
  }

  #writeInput(): void {
    while (this.#input[0] && !this.#closed) {
      const { bytes, from, written } = this.#input[0]
      const { typist, offset } = from
      // A daemon that is killed between the next two calls to the system makes this input arrive twice.
      const n = writeNonblocking(this.#master, bytes)
      this.ring.setTyped({ typist, offset: offset + Math.max(n, 0) })
      if (n < 0) {
        this.#input = []
        this.#inputSize = 0
        return
      }
      this.#inputSize -= n
      written(offset + n)
      if (n < bytes.length) {
        this.#input[0] = { bytes: bytes.subarray(n), from: { typist, offset: offset + n }, written }
        return this.#arm(!this.#paused)
      }
      this.#input.shift()
    }
  }
}
