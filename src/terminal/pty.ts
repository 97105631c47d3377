/** A PTY of a box in the daemon: reads the master, keeps the ring, offers bytes to clients. */
import { closeDescriptor, isReadable, setNonblocking, setWindowSize } from '../../ffi/pty.ts'
import { windowSize } from '../../ffi/terminal.ts'
import type { Watched, Watcher } from '../../ffi/watcher.ts'
import { type Facts, NO_FACTS, type TerminalState } from '../answers/rule.ts'
import type { WindowSize } from '../core/window-size.ts'
import type { TypedDirectly } from '../protocol/frames.ts'
import type { Picture } from '../screen/pictures.ts'
import type { ScreenText } from '../screen/text.ts'
import { type Input, PendingInput } from './pending-input.ts'
import type { PtyClient, PtyEnd, PtyListener } from './pty-client.ts'
import { Questions } from './questions.ts'
import { Remarks } from './remarks.ts'
import { AHEAD, RING_SIZE, type Ring, type Typed } from './ring.ts'
import type { ScreenKeeper } from './screen-keeper.ts'
import { boundedSize, commonSize, isLarger, isSame } from './window.ts'

const MAX_INPUT = 1 << 20 // bytes queued for a program that does not read; more are refused
const MAX_ANSWERS = 64 * 1024 // of them: a program that does not read gets no more answers to its questions
const SMALL = 2048 // bytes; after a larger piece more output is likely
const TURN = 256 * 1024 // bytes read before the event loop gets its turn
const TURN_MS = 4 // the same limit in time, for output that is expensive to scan (src/vt/attention.ts)

// A client that keeps up sees every byte, even across a crash of the daemon: the program waits for it as for any terminal.
// Bytes that clients lack stay in the ring, with room for what the next daemon reads before they are back.
const WINDOW = RING_SIZE / 2 // bytes that the program may be ahead of the slowest client that it waits for
const RETURN_ROOM = RING_SIZE / 4
// The time for which one client may delay everybody before it is excused. It is counted in turns of the event loop, so
// that time in which this process was stopped or had no processor is not the client's fault.
const PATIENCE_TURN_MS = 20
const PATIENCE_TURNS = 50
const PATIENCE_BYTES = 512 * 1024 // that it must take meanwhile: 0.5 MB/s counts as keeping up
const RETURN_MS = 10_000 // for clients to return to a new daemon

const KEY = 16 // bytes; about the longest input of a key or a click
const ECHO_US = 200 // the wait for an answer to a key; it blocks everything else
const SILENT_MS = 50 // without such waits, after a program did not answer
const GROW_MS = 300 // a client that left may return at once, and a needless redraw flickers

export class Pty {
  readonly id: number
  readonly ring: Ring
  readonly questions: Questions
  readonly input = new PendingInput()
  readonly #keeper: ScreenKeeper
  readonly #master: number
  readonly #watched: Watched
  readonly #clients = new Set<PtyClient>()
  #size: WindowSize
  #closed = false
  #growing: Timer | undefined
  #paused: Timer | undefined
  #waited = 0
  #sinceWait = 0
  #silentUntil = 0
  readonly #remarks = new Remarks((bytes) => this.#remark(bytes))
  /** Set while a client reads, to check whether it still does. */
  #leased: Timer | undefined
  /** Clients of the previous daemon that have not returned, and the offset that the program may reach until then. */
  #awaited = 0
  #awaitedTimer: Timer | undefined
  readonly #awaitedFloor: number
  readonly #closers = new Set<(end: PtyEnd) => void>()
  readonly #listeners = new Set<PtyListener>()

  /** Owns `master`, `ring` and `keeper` from now on. */
  constructor(
    id: number,
    master: number,
    ring: Ring,
    keeper: ScreenKeeper,
    watcher: Watcher,
    facts: Facts = NO_FACTS,
  ) {
    this.id = id
    this.ring = ring
    this.#keeper = keeper
    this.#master = master
    this.#size = boundedSize(windowSize(master) ?? { columns: 80, rows: 24 })
    keeper.onRoom = () => this.proceed()
    this.questions = new Questions(this, facts)
    setNonblocking(master)
    this.#watched = watcher.watch(master, () => this.#ready())
    this.#awaitedFloor = ring.offset - WINDOW + RETURN_ROOM
    this.#awaited = ring.clients
    if (this.#awaited) this.#awaitedTimer = setTimeout(() => this.#allBack(), RETURN_MS)
    if (this.#awaited) this.questions.expect(RETURN_MS)
    this.#arm(true)
  }

  /** Returns the function that ends it. */
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

  /** The offset of the next byte of output. */
  get offset(): number {
    return this.ring.offset
  }

  /** Whether its ring can no longer be read. */
  get closed(): boolean {
    return this.#closed
  }

  attach(client: PtyClient): void {
    this.#clients.add(client)
    this.fit()
    if (this.#awaited && --this.#awaited === 0) this.#allBack()
    this.#counted()
    this.questions.choose()
    this.#share()
  }

  detach(client: PtyClient): void {
    if (!this.#clients.has(client)) return
    this.takeBack() // the client has shown these bytes, and its terminal has answered their questions
    this.#clients.delete(client)
    this.fit()
    this.#counted()
    this.questions.choose()
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

  /** Writes input in order. Returns false if the program has not read for too long. */
  write(bytes: Uint8Array, from: Typed, written: NonNullable<Input['written']>): boolean {
    if (this.#closed || this.input.size + bytes.length > MAX_INPUT) return false
    this.#hear(bytes)
    if (this.input.add({ bytes: new Uint8Array(bytes), from, written })) return true
    if (bytes.length > KEY || this.#paused || performance.now() < this.#silentUntil) this.#writeInput()
    else this.#writeKey()
    return true
  }

  #hear(input: Uint8Array): void {
    this.questions.input(input)
    for (const listener of this.#listeners) listener.input?.(input)
  }

  /** Writes an answer to a question of the program (questions.ts). */
  reply(answer: string): void {
    const bytes = Buffer.from(answer, 'latin1')
    if (this.#closed || this.input.size + bytes.length > MAX_ANSWERS) return
    if (!this.input.add({ bytes })) this.#writeInput()
  }

  /** Drops input that waits for a program which has ended. */
  readonly dropInput = (): void => {
    this.input.drop(this.ring)
    for (const listener of this.#listeners) listener.dropped?.()
  }

  /** A program answers a key so soon that a wake-up for the answer would take longer than this wait. */
  #writeKey(): void {
    this.#watched.arm({ reading: false, writing: false }) // otherwise the answer causes a wake-up after all
    this.#writeInput()
    if (isReadable(this.#master, ECHO_US)) return this.#read()
    this.#silentUntil = performance.now() + SILENT_MS
    this.#arm(true)
  }

  /** The descriptors with which a client types into the terminal itself: the master, the ring's pipe, and its file. */
  get descriptors(): readonly number[] {
    return [this.#master, ...this.ring.descriptors]
  }

  /** A client has typed and read by itself. Listeners hear everything in the order in which it happened. */
  typed({ read, typedAt, bytes }: TypedDirectly): void {
    this.#readKnown(typedAt)
    if (bytes.length) this.#hear(bytes)
    this.#readKnown(read)
    this.#read()
  }

  /** Reports the bytes that a client has read itself, up to an offset. */
  #readKnown(to: number): void {
    while (!this.#closed) {
      const at = this.ring.offset
      const known = this.ring.takeKnown(to)
      if (!known) return
      this.#tell(at, known, true)
    }
  }

  /** Read here again instead of a client: afterwards all output so far is known. */
  takeBack(): void {
    if (this.#closed) return
    if (this.ring.sharedTo) this.ring.sharedTo = 0
    this.#read()
  }

  /** Take the size that fits all clients: a smaller one at once, a larger one after a moment without change. */
  fit(): void {
    clearTimeout(this.#growing)
    const wanted = commonSize(this.#clients, Date.now())
    if (!wanted || this.#closed) return
    // A single client's window needs no wait.
    if (this.#clients.size > 1 && isLarger(wanted, this.#size))
      this.#growing = setTimeout(() => this.#resize(wanted), GROW_MS)
    else this.#resize(wanted)
  }

  #resize(size: WindowSize): void {
    if (this.#closed || isSame(size, this.#size)) return
    this.#size = size
    this.takeBack() // earlier output belongs to the old size
    this.#keeper.resize(this.#size)
    for (const listener of this.#listeners) listener.resize?.()
    setWindowSize(this.#master, this.#size)
    for (const client of this.#clients) client.resized()
  }

  /** Writes a text of coop itself to the terminal. */
  say(text: string): void {
    this.#remarks.add(text)
  }

  #remark(bytes: Buffer): boolean {
    if (this.#closed) return true
    this.takeBack() // once everything before it is read
    const { offset } = this.ring
    if (this.#keeper.room() <= 0 || !this.ring.append(bytes)) return false
    this.#tell(offset, bytes, false)
    return true
  }

  /** The current screen, as sequences for a freshly reset terminal. Needs `loadScreens`. */
  screen(then: (offset: number, bytes: Uint8Array) => void, history: boolean): void {
    this.#keeper.screen(then, history)
  }

  /** The part of the screen that fits into a window of another size. Needs `loadScreens`. */
  picture(window: WindowSize, then: (offset: number, picture: Picture) => void): void {
    this.#keeper.picture(window, then)
  }

  /** What is on the screen now, as text; undefined when the terminal is closed meanwhile. Needs `loadScreens`. */
  text(styled: boolean): Promise<ScreenText | undefined> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve(undefined)
      const forget = this.onClose(() => resolve(undefined))
      this.takeBack()
      this.#keeper.text(styled, (text) => {
        forget()
        resolve(text)
      })
    })
  }

  /** The emulator's state after the output up to an offset. */
  state(to: number, then: (state: TerminalState) => void): void {
    this.#keeper.state(to, then)
  }

  /** Resolves when everything written so far has been read. */
  async drained(): Promise<void> {
    do {
      this.takeBack()
      await new Promise((resolve) => setImmediate(resolve))
    } while (!this.#closed && (this.#paused || isReadable(this.#master)))
  }

  /** Call `tell` at the end of the terminal. Returns the function that takes that back. */
  onClose(tell: (end: PtyEnd) => void): () => void {
    this.#closers.add(tell)
    return () => this.#closers.delete(tell)
  }

  /** Sends the clients that show this terminal away; it stays. */
  leave(end: PtyEnd): void {
    for (const listener of [...this.#listeners]) listener.leave?.(end)
  }

  close(end: PtyEnd): void {
    if (this.#closed) return
    this.takeBack() // read its last output
    this.#closed = true
    this.ring.sharedTo = 0
    for (const timer of [this.#paused, this.#growing, this.#awaitedTimer, this.#leased]) clearTimeout(timer)
    this.#watched.stop()
    closeDescriptor(this.#master)
    for (const tell of this.#closers) tell(end)
    this.ring.close()
    this.#keeper.close()
  }

  /** A client has made progress or is gone. */
  proceed(): void {
    if (this.#paused && !this.#closed && this.#room() > 0) this.#resume()
  }

  #ready(): void {
    if (this.input.size) this.#writeInput()
    if (!this.#paused) this.#read()
  }

  #arm(reading: boolean): void {
    if (!this.#closed) this.#watched.arm({ reading, writing: this.input.size > 0 })
  }

  #resume(): void {
    clearTimeout(this.#paused)
    this.#paused = undefined
    this.#read()
  }

  /** Bytes that may be read before a client that counts would lose some. */
  #room(): number {
    let floor = this.#awaited ? this.#awaitedFloor : Number.POSITIVE_INFINITY
    for (const { position } of this.#clients) if (position !== undefined && position < floor) floor = position
    return Math.min(floor + WINDOW - this.ring.offset, this.#keeper.room())
  }

  // Init keeps the terminal's other side open, so this ends only with `close`, even between restarts.
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
      if (taken === 'gone') return // the box has ended, which is reported elsewhere
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
      if (bytes.length < SMALL && !byClient) break // most likely there is no more; otherwise we are called again
    }
    this.#share()
    this.#arm(true)
  }

  /** Let the only client read by itself while its user types, but no further than the daemon can follow. */
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
    this.questions.output(offset, bytes)
    for (const listener of this.#listeners) listener.output?.(bytes)
    for (const client of this.#clients) client.output(offset, bytes, byClient)
  }

  #writeInput(): void {
    if (!this.#closed && !this.input.write(this.#master, this.ring)) this.#arm(!this.#paused)
  }
}
