/**
 * Knows the exact screen of a terminal although its ring holds only the newest output: before the ring overwrites
 * something, an emulator has seen it, and its state is kept beside the ring for this daemon and the next.
 */
import { rmSync } from 'node:fs'
import type { WindowSize } from '../container/exec-batch.ts'
import type { Picture } from '../screen/pictures.ts'
import type { Screen } from '../screen/screen.ts'
import { readable, readStoredFile, stamp } from '../store/kind.ts'
import { writeAtomically } from '../store/manifest.ts'
import { type ScreenState, screenState } from '../store/screen-state.ts'
import { RING_SIZE, type Ring } from './ring.ts'

type Screens = typeof import('../screen/screen.ts')

const FOLD_AT = (RING_SIZE * 3) / 4 // bytes that no emulator has seen yet; the rest is room to go on meanwhile
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

export class ScreenKeeper {
  readonly #ring: Ring
  readonly #path: string
  /** The state at an offset; undefined: a terminal that was just opened. */
  #saved: ScreenState | undefined
  #size: WindowSize
  /** Everything before this offset is in `#saved`, or plain text that has scrolled away since. */
  #from: number
  /** The state at `#from`, while it is in use. */
  #live: Screen | undefined
  #idle: Timer | undefined

  constructor(ring: Ring, path: string, size: WindowSize) {
    this.#ring = ring
    this.#path = path
    this.#size = size
    this.#saved = ring.offset ? readSaved(path, ring) : undefined
    this.#from = Math.max(ring.screenFrom, this.#saved?.offset ?? 0, ring.start)
  }

  /** Bytes that may come before something is overwritten that nobody has seen; makes room when it can. */
  room(): number {
    if (this.#ring.offset - this.#from >= FOLD_AT) {
      if (screens) this.#fold()
      else void loadScreens()
    }
    return this.#from + RING_SIZE - this.#ring.offset
  }

  /** How the terminal looks now, as sequences for one that was just reset. */
  screen(): { readonly offset: number; readonly bytes: Uint8Array } {
    const screen = this.#catchUp()
    return { offset: this.#from, bytes: screen.render() }
  }

  /** What of it fits into a window of another size. */
  picture(window: WindowSize): { readonly offset: number; readonly picture: Picture } {
    const screen = this.#catchUp()
    return { offset: this.#from, picture: screen.picture(window) }
  }

  /** The terminal is about to have another size. */
  resize(size: WindowSize): void {
    if (screens && (this.#ring.offset > 0 || this.#saved)) {
      this.#catchUp().resize(size.columns, size.rows)
      this.#save()
    }
    this.#size = size
  }

  close(): void {
    clearTimeout(this.#idle)
    this.#live?.dispose()
    rmSync(this.#path, { force: true })
  }

  #fold(): void {
    const { bytes } = this.#ring.read(this.#from)
    const cut = this.#plainCut(bytes)
    if (cut > 0) {
      this.#live?.dispose()
      this.#live = undefined
      this.#from += cut
      this.#ring.screenFrom = this.#from // with the ring's next header
      return
    }
    this.#catchUp()
    this.#save()
  }

  /**
   * Lines without any sequence push everything else out of a terminal: nothing of what was there before counts
   * any more but its modes. Bytes that need no emulator; 0 when all do.
   */
  #plainCut(bytes: Buffer): number {
    if (this.#saved && !this.#scrolls(this.#saved)) return 0
    if (bytes.indexOf(0x1b) >= 0 || bytes.indexOf(0x0e) >= 0 || bytes.indexOf(0x0f) >= 0 || hasC1(bytes))
      return 0
    const cut = bytes.indexOf('\r\n', bytes.length - KEPT) + 2
    if (cut < 2) return 0
    let lines = 0
    for (let at = bytes.indexOf(LF, cut); at >= 0 && lines <= this.#size.rows; at = bytes.indexOf(LF, at + 1))
      lines++
    return lines > this.#size.rows ? cut : 0
  }

  #scrollsAt = -1
  #scrollsKnown = false

  #scrolls(saved: ScreenState): boolean {
    if (this.#scrollsAt !== saved.offset && screens) {
      using screen = screens.Screen.restore(saved.snapshot)
      this.#scrollsKnown = screen.scrolls
      this.#scrollsAt = saved.offset
    }
    return this.#scrollsKnown
  }

  /** The emulator with everything that has come. Needs `loadScreens`. */
  #catchUp(): Screen {
    if (!screens) throw new Error('the emulator is not loaded')
    if (!this.#live) this.#live = this.#restore(screens)
    const { from, bytes } = this.#ring.read(this.#from)
    this.#live.write(bytes)
    this.#from = from + bytes.length
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#rest(), IDLE_MS)
    this.#idle.unref()
    return this.#live
  }

  #restore({ Screen }: Screens): Screen {
    const { columns, rows } = this.#size
    if (!this.#saved) return new Screen(columns, rows)
    const screen = Screen.restore(this.#saved.snapshot)
    // What was there has scrolled away as plain lines: only its modes are left.
    if (this.#from > this.#saved.offset) screen.write(Buffer.from('\x1b[2J\x1b[3J\x1b[H'))
    return screen
  }

  /** Nobody has asked for a while: keep the state as text. */
  #rest(): void {
    this.#save()
    this.#live?.dispose()
    this.#live = undefined
  }

  #save(): void {
    if (!this.#live) return
    const saved = { offset: this.#from, snapshot: this.#live.snapshot() }
    try {
      writeAtomically(this.#path, stamp(screenState, saved), false)
    } catch {
      // A full disk: this daemon knows the screen all the same, the next one has the ring.
    }
    this.#saved = saved
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
