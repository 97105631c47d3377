/**
 * Knows the exact screen of a terminal although its ring holds only the newest output. An emulator sees all bytes
 * before the ring overwrites them, and its state is kept beside the ring for this daemon and the next.
 */
import { rmSync } from 'node:fs'
import type { TerminalState } from '../answers/rule.ts'
import { work } from '../core/slices.ts'
import type { Steps } from '../core/steps.ts'
import type { WindowSize } from '../core/window-size.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import type { Picture } from '../screen/pictures.ts'
import type { Screen } from '../screen/screen.ts'
import type { ScreenText } from '../screen/text.ts'
import { readable, readStoredFile, stamp } from '../store/kind.ts'
import { type ScreenState, screenState } from '../store/screen-state.ts'
import { RING_SIZE, type Ring } from './ring.ts'

type Screens = typeof import('../screen/screen.ts')

const FOLD_AT = (RING_SIZE * 3) / 4 // bytes that no emulator has seen yet; the rest is room for output meanwhile
const PIECE = 16 * 1024 // bytes read from the ring at a time
const KEPT = RING_SIZE / 2 // bytes of plain text that an emulator reads only on demand
const IDLE_MS = 5_000 // an emulator costs a megabyte, and some milliseconds to restore
const LF = 10
const C1_LEAD = 0xc2 // the first byte of U+0080 to U+00BF in UTF-8

let screens: Screens | undefined
let loading: Promise<void> | undefined

/** Load the emulator, whose 15 MB a daemon without terminals does not need. */
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
  /** The state at an offset; undefined for a newly opened terminal. */
  #saved: ScreenState | undefined
  #size: WindowSize
  /** Everything before this offset is in `#saved`, or is plain text that has scrolled away since. */
  #from: number
  /** The state at `#seen`, while it is in use. */
  #live: Screen | undefined
  #seen = 0
  #idle: Timer | undefined
  /** In order: each task sees the terminal as it was at the request, or later. */
  readonly #tasks: Task[] = []
  #isWorking = false
  #isFolding = false
  #closed = false
  /** Called when `room` has grown. */
  onRoom: () => void = () => {}

  constructor(ring: Ring, path: string, size: WindowSize) {
    this.#ring = ring
    this.#path = path
    this.#size = size
    this.#saved = ring.offset ? readSaved(path, ring) : undefined
    this.#from = Math.max(ring.screenFrom, this.#saved?.offset ?? 0, ring.start)
  }

  /** Bytes that may come before unsaved output would be overwritten; makes room where possible. */
  room(): number {
    if (this.#ring.offset - this.#from >= FOLD_AT && !this.#isFolding && !this.#closed) {
      this.#isFolding = true
      if (screens) this.#do(() => this.#fold(), false)
      else void loadScreens().then(() => this.#do(() => this.#fold(), false))
    }
    return this.#from + RING_SIZE - this.#ring.offset
  }

  /**
   * The current screen, as sequences for a freshly reset terminal. `then` is called at once if that takes no time, and
   * never if the terminal is closed before. Needs `loadScreens`.
   */
  screen(then: (offset: number, bytes: Uint8Array) => void, history = true): void {
    const to = this.#ring.offset
    this.#do(() => this.#show(to, (screen) => screen.rendering({ history }), then), true)
  }

  /** The part that fits into a window of another size; `then` is called in the same way. */
  picture(window: WindowSize, then: (offset: number, picture: Picture) => void): void {
    const to = this.#ring.offset
    this.#do(() => this.#show(to, (screen) => screen.picturing(window), then), true)
  }

  /** What is on the screen, as text; `then` is called in the same way. */
  text(styled: boolean, then: (text: ScreenText) => void): void {
    const to = this.#ring.offset
    this.#do(
      () =>
        this.#show(
          to,
          (screen) => screen.reading(styled),
          (_, text) => then(text),
        ),
      true,
    )
  }

  /** The state after all output up to an offset, or later. Loads the emulator when it has to. */
  state(to: number, then: (state: TerminalState) => void): void {
    if (this.#closed) return
    if (!screens) void loadScreens().then(() => this.state(to, then))
    else this.#do(() => this.#tellState(to, then), true)
  }

  *#tellState(to: number, then: (state: TerminalState) => void): Steps<void> {
    const screen = yield* this.#catchUp(to)
    then(screen.state(this.#size))
  }

  /** The terminal is about to get another size. */
  resize(size: WindowSize): void {
    // While there are tasks, `#size` is not yet that of a change before this one.
    const isAtOnce = !this.#isWorking && (this.#hasCells(size) || (this.#ring.offset === 0 && !this.#saved))
    if (isAtOnce || !screens) {
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
      // The saved state is unreadable: only the ring's content is left.
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
      this.#ring.screenFrom = this.#from // written with the ring's next header
      if (this.#seen < this.#from) this.#forget()
    } else {
      yield
      yield* this.#save(yield* this.#catchUp(this.#ring.offset))
    }
    this.#isFolding = false
    this.onRoom()
  }

  /**
   * Lines without sequences push all other content out of a terminal: only the modes of earlier output still count.
   * Returns the number of bytes that need no emulator; 0 if all need one.
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

  #hasCells({ columns, rows }: WindowSize): boolean {
    return columns === this.#size.columns && rows === this.#size.rows
  }

  *#resize(to: number, size: WindowSize): Steps<void> {
    if (this.#hasCells(size)) {
      this.#size = size
      return
    }
    const screen = yield* this.#catchUp(to)
    this.#size = size
    screen.resize(size.columns, size.rows)
    yield
    yield* this.#save(screen)
  }

  /** The emulator, after at least all output up to an offset. Needs `loadScreens`. */
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
    // Plain lines have scrolled the old content away: only its modes are left.
    if (this.#from > this.#saved.offset) screen.write(Buffer.from('\x1b[2J\x1b[3J\x1b[H'))
    // A daemon that ended right after a change of size did not save that size.
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
      // If the disk is full, this daemon still knows the screen, and the next one has the ring.
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
