/**
 * Knows the exact screen of a terminal although its ring holds only the newest output: before the ring overwrites
 * something, an emulator has seen it, and its state is kept beside the ring for this daemon and the next.
 */
import { rmSync } from 'node:fs'
import type { WindowSize } from '../core/window-size.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import type { Picture } from '../screen/pictures.ts'
import type { Screen } from '../screen/screen.ts'
import { work } from '../screen/slices.ts'
import type { Steps } from '../screen/steps.ts'
import { readable, readStoredFile, stamp } from '../store/kind.ts'
import { type ScreenState, screenState } from '../store/screen-state.ts'
import { RING_SIZE, type Ring } from './ring.ts'

type Screens = typeof import('../screen/screen.ts')

const FOLD_AT = (RING_SIZE * 3) / 4 // bytes that no emulator has seen yet; the rest is room to go on meanwhile
const PIECE = 16 * 1024 // bytes read from the ring at a time
const KEPT = RING_SIZE / 2 // bytes of plain text that are seen when they are asked for
const IDLE_MS = 5_000 // an emulator costs a megabyte, and is made anew in some milliseconds
const LF = 10
const C1_LEAD = 0xc2 // of U+0080 to U+00BF in UTF-8

let screens: Screens | undefined
let loading: Promise<void> | undefined

/** Load the emulator: 15 MB that a daemon without terminals does not need. */
export function loadScreens(): Promise<void> {
  loading ??= import('../screen/screen.ts').then((loaded) => {
    screens = loaded
  })
  return loading
}

type Task = () => Steps<void>

export class ScreenKeeper {
  readonly #ring: Ring
  readonly #path: string
  /** The state at an offset; undefined: a terminal that was just opened. */
  #saved: ScreenState | undefined
  #size: WindowSize
  /** Everything before this offset is in `#saved`, or plain text that has scrolled away since. */
  #from: number
  /** The state at `#seen`, while it is in use. */
  #live: Screen | undefined
  #seen = 0
  #idle: Timer | undefined
  /** In order: each sees the terminal as it was when it was asked for, or later. */
  readonly #tasks: Task[] = []
  #isWorking = false
  #isFolding = false
  #closed = false
  /** Told when `room` has grown. */
  onRoom: () => void = () => {}

  constructor(ring: Ring, path: string, size: WindowSize) {
    this.#ring = ring
    this.#path = path
    this.#size = size
    this.#saved = ring.offset ? readSaved(path, ring) : undefined
    this.#from = Math.max(ring.screenFrom, this.#saved?.offset ?? 0, ring.start)
  }

  /** Bytes that may come before something is overwritten that is not in the saved state; makes room when it can. */
  room(): number {
    if (this.#ring.offset - this.#from >= FOLD_AT && !this.#isFolding && !this.#closed) {
      this.#isFolding = true
      if (screens) this.#do(() => this.#fold(), false)
      else void loadScreens().then(() => this.#do(() => this.#fold(), false))
    }
    return this.#from + RING_SIZE - this.#ring.offset
  }

  /**
   * How the terminal looks now, as sequences for one that was just reset. `then` is called at once when that takes no
   * time, and never when the terminal is closed before. Needs `loadScreens`.
   */
  screen(then: (offset: number, bytes: Uint8Array) => void): void {
    const to = this.#ring.offset
    this.#do(() => this.#show(to, (screen) => screen.rendering(), then), true)
  }

  /** What of it fits into a window of another size, told in the same way. */
  picture(window: WindowSize, then: (offset: number, picture: Picture) => void): void {
    const to = this.#ring.offset
    this.#do(() => this.#show(to, (screen) => screen.picturing(window), then), true)
  }

  /** The terminal is about to have another size. */
  resize(size: WindowSize): void {
    if (!screens || (this.#ring.offset === 0 && !this.#saved && !this.#isWorking)) {
      this.#size = size
      return
    }
    const to = this.#ring.offset
    this.#do(() => this.#resize(to, size), true)
  }

  close(): void {
    this.#closed = true
    this.#tasks.length = 0
    clearTimeout(this.#idle)
    this.#live?.dispose()
    rmSync(this.#path, { force: true })
  }

  #do(task: Task, atOnce: boolean): void {
    if (this.#closed) return
    clearTimeout(this.#idle)
    this.#tasks.push(task)
    if (this.#isWorking) return
    this.#isWorking = true
    work(this.#all(), atOnce)
  }

  *#all(): Steps<void> {
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) {
      const steps = this.#attempt(task)
      while (!this.#closed && !steps.next().done) yield
    }
    this.#isWorking = false
    if (this.#closed || !this.#live) return
    this.#idle = setTimeout(() => this.#do(() => this.#rest(), false), IDLE_MS)
    this.#idle.unref()
  }

  *#attempt(task: Task): Steps<void> {
    try {
      yield* task()
    } catch {
      // A saved state that cannot be read: what is in the ring is all there is.
      this.#forget()
      this.#saved = undefined
      this.#from = Math.max(this.#from, this.#ring.start)
      yield* task()
    }
  }

  *#fold(): Steps<void> {
    const { bytes } = this.#ring.read(this.#from)
    const cut = this.#plainCut(bytes)
    if (cut > 0) {
      this.#from += cut
      this.#ring.screenFrom = this.#from // with the ring's next header
      if (this.#seen < this.#from) this.#forget()
    } else {
      yield
      yield* this.#save(yield* this.#catchUp(this.#ring.offset))
    }
    this.#isFolding = false
    this.onRoom()
  }

  /**
   * Lines without any sequence push everything else out of a terminal: nothing of what was there before counts
   * any more but its modes. Bytes that need no emulator; 0 when all do.
   */
  #plainCut(bytes: Buffer): number {
    if (this.#saved && !this.#saved.scrolls) return 0
    if (bytes.indexOf(0x1b) >= 0 || bytes.indexOf(0x0e) >= 0 || bytes.indexOf(0x0f) >= 0 || hasC1(bytes))
      return 0
    const cut = bytes.indexOf('\r\n', bytes.length - KEPT) + 2
    if (cut < 2) return 0
    let lines = 0
    for (let at = bytes.indexOf(LF, cut); at >= 0 && lines <= this.#size.rows; at = bytes.indexOf(LF, at + 1))
      lines++
    return lines > this.#size.rows ? cut : 0
  }

  *#show<T>(
    to: number,
    draw: (screen: Screen) => Steps<T>,
    then: (offset: number, drawn: T) => void,
  ): Steps<void> {
    const screen = yield* this.#catchUp(to)
    const drawn = yield* draw(screen)
    then(this.#seen, drawn)
  }

  *#resize(to: number, size: WindowSize): Steps<void> {
    const screen = yield* this.#catchUp(to)
    this.#size = size
    screen.resize(size.columns, size.rows)
    yield
    yield* this.#save(screen)
  }

  /** The emulator with everything that had come up to an offset, at least. Needs `loadScreens`. */
  *#catchUp(to: number): Steps<Screen> {
    if (!screens) throw new Error('the emulator is not loaded')
    if (!this.#live) {
      this.#live = yield* this.#restore(screens)
      this.#seen = this.#from
    }
    while (this.#seen < to) {
      const { from, bytes } = this.#ring.read(this.#seen, Math.min(to - this.#seen, PIECE))
      yield* this.#live.writing(bytes)
      this.#seen = from + bytes.length
    }
    return this.#live
  }

  *#restore({ Screen }: Screens): Steps<Screen> {
    const { columns, rows } = this.#size
    if (!this.#saved) return new Screen(columns, rows)
    const screen = yield* Screen.restoring(this.#saved.snapshot)
    // What was there has scrolled away as plain lines: only its modes are left.
    if (this.#from > this.#saved.offset) screen.write(Buffer.from('\x1b[2J\x1b[3J\x1b[H'))
    // A daemon that ends at once after a change of size has not saved that.
    if (screen.columns !== columns || screen.rows !== rows) screen.resize(columns, rows)
    return screen
  }

  /** Nobody has asked for a while: keep the state as text. */
  *#rest(): Steps<void> {
    if (!this.#live) return
    if (this.#seen > this.#from) yield* this.#save(this.#live)
    this.#forget()
  }

  #forget(): void {
    this.#live?.dispose()
    this.#live = undefined
  }

  *#save(screen: Screen): Steps<void> {
    const snapshot = yield* screen.snapshotting()
    const saved = { offset: this.#seen, snapshot, scrolls: screen.scrolls }
    yield
    try {
      writeAtomically(this.#path, stamp(screenState, saved), { sync: false })
    } catch {
      // A full disk: this daemon knows the screen all the same, the next one has the ring.
    }
    this.#saved = saved
    this.#from = this.#seen
  }
}

function hasC1(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(C1_LEAD); at >= 0; at = bytes.indexOf(C1_LEAD, at + 1)) {
    const next = bytes[at + 1] ?? 0x80
    if (next >= 0x80 && next < 0xa0) return true
  }
  return false
}

function readSaved(path: string, ring: Ring): ScreenState | undefined {
  const saved = readable(readStoredFile(screenState, path))
  return saved && saved.offset <= ring.offset ? saved : undefined
}
