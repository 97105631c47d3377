/** One client's view of a PTY. Output goes out as fast as the client takes it, from the ring when it fell behind. */
import type { WindowSize } from '../core/window-size.ts'
import type { ClientInfo } from '../protocol/calls/boxes.ts'
import { type Channel, encodePicture, encodeScreen, outputHead } from '../protocol/frames.ts'
import { Pictures } from '../screen/pictures.ts'
import type { Pty } from '../terminal/pty.ts'
import type { PtyClient } from '../terminal/pty-client.ts'

/** The parts of a connection that a feed needs. */
export interface Outlet {
  /** Bytes that wait to be sent. */
  readonly queued: number
  /** Where its frames go. */
  readonly channel: Channel
  /** Whether a browser is at the other end: it says what it has shown, and `queued` is what it has not. */
  readonly isRemote: boolean
  /** The process at the other end, if it is one of this machine, and its terminal. */
  readonly peer: number | undefined
  readonly terminal: string | undefined
  /** Sends one frame, given in parts; they are valid only during the call. */
  send(...parts: Uint8Array[]): void
  notice(text: string): void
  /** Says from which offset on the client's terminal answers the program's questions, and which it gets now. */
  answers(from: number | undefined, asked: Uint8Array): void
}

const HIGH_WATER = 64 * 1024 // bytes queued per client; the ring keeps the rest
const REMOTE_WINDOW = 48 * 1024 // bytes on the way to a browser: half a second at 100 kB/s
/** A browser that is so far behind gets a screen instead of the output: at 100 kB/s, old output would hide the new for a second. */
const REMOTE_BEHIND = 64 * 1024
/** A browser on a link below 160 kB/s is not waited for, as a terminal of this machine would be for a second. */
const STRAIN_MS = 250
const STRAIN_BYTES = 40 * 1024
/** A browser that got screens without scrollback gets one with it when it keeps up again: looked at so often. */
const REMOTE_CALM_MS = 500
const REMOTE_CALM = 4 * 1024 // bytes on the way then
const EXCUSED_MS = 60_000 // how long output does not wait for a client that was too slow
/** The same for a browser on a slow link. One that was only busy for a moment is waited for again, so that the output leaves it the processor. */
const STRAINED_MS = 5_000
const SCREEN_MS = 100 // between two screens for a client that cannot keep up: a person sees no faster

const PICTURE_MS = 33 // between two pictures for a window of another size

export interface FeedOptions {
  readonly readonly: boolean
  readonly size: WindowSize | undefined
  /** The offset of the first byte that the client lacks; undefined: it has nothing, and gets a screen. */
  readonly from: number | undefined
  /** The client wants bytes and no screen (`coop logs`). */
  readonly plain?: boolean
}

const hasCells = (a: WindowSize, b: WindowSize): boolean => a.columns === b.columns && a.rows === b.rows

export class Feed implements PtyClient {
  readonly pty: Pty
  readonly readonly: boolean
  readonly #since = Date.now()
  active = this.#since
  readonly #outlet: Outlet
  readonly #plain: boolean
  #size: WindowSize | undefined
  #visible = true
  /** The next offset that the client gets. */
  #next: number
  #needsScreen: boolean
  /** Pictures for a window whose size differs from the terminal's: it cannot show the output itself. */
  #pictures: Pictures | undefined
  #isStale = false
  /** Whether a screen or picture is being made. */
  #isAsking = false
  /** The screen that is being made is one of another size than the window's. */
  #isOutdated = false
  /** Bytes that were sent after the last screen: if more are still on the way, it is, too. Infinite: there is none to wait for. */
  #sinceScreen = Number.POSITIVE_INFINITY
  #isClosed = false
  #whenSent: (() => void) | undefined
  #excusedUntil = 0
  /** Since when the browser is behind, and how far it was then. */
  #strain: { readonly at: number; readonly from: number } | undefined
  #screenAt = 0
  #timer: Timer | undefined
  #lacksHistory = false
  #calm: Timer | undefined
  #finishing = false
  #direct = false

  constructor(pty: Pty, outlet: Outlet, { readonly, size, from, plain = false }: FeedOptions) {
    this.pty = pty
    this.readonly = readonly
    this.#outlet = outlet
    this.#plain = plain
    this.#size = size
    pty.takeBack()
    const known = from !== undefined && from >= pty.ring.start && from <= pty.ring.offset
    this.#next = known ? from : pty.ring.start
    this.#needsScreen = !known && !plain
    pty.attach(this)
    this.resized()
  }

  get size(): WindowSize | undefined {
    return this.readonly || !this.#visible ? undefined : this.#size
  }

  /** Describes this client for listings; undefined for `plain` clients. */
  get about(): ClientInfo | undefined {
    if (this.#plain) return undefined
    const { peer, terminal } = this.#outlet
    return {
      ...(peer === undefined ? {} : { pid: peer }),
      ...(terminal === undefined ? {} : { terminal }),
      readonly: this.readonly,
      ...(this.#size ? { size: this.#size } : {}),
      since: this.#since,
    }
  }

  get position(): number | undefined {
    const isBehind = this.#needsScreen || this.#next < this.pty.ring.start
    if (this.#pictures || isBehind || this.#onlyWatches || Date.now() < this.#excusedUntil) return undefined
    return this.#next - this.#outlet.queued
  }

  /** Finds a browser that is behind and shows so little in a while that what it gets grows old. */
  #feelStrain(): void {
    const position = this.#next - this.#outlet.queued
    if (!this.#outlet.isRemote || this.#plain || this.pty.ring.offset - position <= REMOTE_BEHIND) {
      this.#strain = undefined
      return
    }
    this.#strain ??= { at: Date.now(), from: position }
    const { at, from } = this.#strain
    if (Date.now() < at + STRAIN_MS) return
    if (position < from + STRAIN_BYTES)
      this.#excusedUntil = Math.max(this.#excusedUntil, Date.now() + STRAINED_MS)
    this.#strain = undefined
  }

  get next(): number {
    return this.#next
  }

  get looks(): boolean {
    return this.#visible && !this.#plain
  }

  get mayAnswer(): boolean {
    if (this.#outlet.isRemote) return false // answers would take a second, and reach the program as typed text
    return !(this.readonly || this.#plain || this.#pictures || this.#needsScreen || this.#isClosed)
  }

  answer(from: number | undefined, asked = new Uint8Array()): void {
    this.#outlet.answers(from, asked)
  }

  excuse(): void {
    this.#excusedUntil = Date.now() + EXCUSED_MS
  }

  resize(size: WindowSize, visible: boolean): void {
    // A window that attached while it was hidden has drawn a screen of the terminal's size in its own. One that changes while
    // a screen is on the way draws that in its new size: text is then not where the program's next output expects it.
    const isMisdrawn = !this.#size || this.#isAsking || this.#outlet.queued > this.#sinceScreen
    if (isMisdrawn && !this.#plain && !hasCells(size, this.#size ?? this.pty.size)) {
      this.#needsScreen = true
      this.#isOutdated = this.#isAsking
    }
    this.#size = size
    this.#visible = visible
    this.active = Date.now()
    this.pty.fit()
    this.resized()
  }

  resized(): void {
    const fits = !this.#size || hasCells(this.#size, this.pty.size)
    if (this.#plain || fits) {
      this.#needsScreen ||= this.#pictures !== undefined
      this.#pictures = undefined
    } else {
      this.#pictures ??= new Pictures()
      this.#isStale = true
    }
    if (!this.#plain) this.pty.questions.choose()
    this.catchUp()
  }

  /** Called when the client can type into the terminal and read it directly from now on. */
  goDirect(): void {
    this.#direct = true
    this.pty.takeBack()
  }

  get isDirect(): boolean {
    return this.#direct && !this.#pictures && !this.#needsScreen
  }

  output(offset: number, bytes: Uint8Array, byClient: boolean): void {
    if (this.#pictures) {
      this.#isStale = true
      return this.#draw()
    }
    if (byClient && this.#direct && offset === this.#next) {
      this.#next = offset + bytes.length
      return
    }
    if (this.#needsScreen || offset !== this.#next || this.#room <= 0) return // see catchUp
    this.#next = offset + bytes.length // first: sending may call catchUp
    this.#sendBytes(offset, bytes)
  }

  /** Sends the output that the client lacks, as long as it has room. Called whenever it has. */
  catchUp(): void {
    if (this.pty.closed) return
    if (this.#pictures) this.#draw()
    else this.#sendOutput()
    if (this.#isSent) this.#whenSent?.()
    this.pty.proceed()
  }

  /** How many bytes may be sent now. */
  get #room(): number {
    const { isRemote, queued } = this.#outlet
    if (isRemote) return REMOTE_WINDOW - queued
    return queued > HIGH_WATER ? 0 : HIGH_WATER
  }

  /** A browser that may only look could hold up the program again and again by not reading, and nobody else would know why. */
  get #onlyWatches(): boolean {
    return this.#outlet.isRemote && this.readonly
  }

  /** Whether it is a browser for which nobody waits any more. */
  get #isSlow(): boolean {
    return this.#outlet.isRemote && !this.#plain && Date.now() < this.#excusedUntil
  }

  /** Looks, until it is so, whether the browser keeps up again, and then draws its screen with the scrollback. */
  #lackHistory(): void {
    this.#lacksHistory = true
    clearTimeout(this.#calm)
    this.#calm = setTimeout(() => {
      if (this.#isClosed || !this.#lacksHistory) return
      const isCalm = this.#next >= this.pty.ring.offset && this.#outlet.queued <= REMOTE_CALM
      if (!isCalm || this.#isAsking || this.#pictures) return this.#lackHistory()
      this.#excusedUntil = 0
      this.#lacksHistory = false
      this.#needsScreen = true
      this.catchUp()
    }, REMOTE_CALM_MS)
  }

  /** Nobody waits for this browser any more, and what it lacks is old. */
  get #isFarBehind(): boolean {
    return this.#isSlow && this.pty.ring.offset - this.#next > REMOTE_BEHIND
  }

  get #isSent(): boolean {
    if (this.#isAsking) return false
    return this.#pictures ? !this.#isStale : !this.#needsScreen && this.#next >= this.pty.ring.offset
  }

  #sendOutput(): void {
    const { ring } = this.pty
    this.#feelStrain()
    if (this.#isFarBehind) this.#needsScreen = true
    while (this.#finishing || this.#room > 0) {
      if (this.#needsScreen || this.#next < ring.start) {
        if (!this.#repair()) return
        continue
      }
      if (this.#next >= ring.offset) return
      const { from, bytes } = ring.read(this.#next, this.#finishing ? HIGH_WATER : this.#room)
      this.#next = from + bytes.length
      this.#sendBytes(from, bytes)
    }
  }

  #sendBytes(offset: number, bytes: Uint8Array): void {
    const head = outputHead(this.#outlet.channel, offset, bytes.length)
    this.#sinceScreen += head.length + bytes.length
    this.#outlet.send(head, bytes)
  }

  /**
   * Sends all remaining output, however slow the client is: the end of the terminal must not overtake it. Resolves when
   * it is sent or the feed is closed.
   */
  finish(): Promise<void> {
    this.#finishing = true
    return new Promise((resolve) => {
      if (this.pty.closed || this.#isClosed) return resolve()
      this.#whenSent = resolve
      this.pty.onClose(() => resolve())
      this.catchUp()
    })
  }

  /** Sends the whole screen when output that the client needs is gone from the ring, or it never had any. */
  #repair(): boolean {
    const missed = this.#needsScreen ? 0 : this.pty.ring.start - this.#next
    if (missed && this.#onlyWatches) this.excuse() // for it, screens without scrollback do meanwhile
    // A browser loads what it lacks once the flood has ended.
    if (missed && (this.#plain || !this.#outlet.isRemote))
      this.#outlet.notice(`${missed} bytes of output came too fast and were left out`)
    if (this.#plain) {
      this.#next = this.pty.ring.start
      return true
    }
    if (!this.#needsScreen) {
      this.#needsScreen = true // the notice about missed output is sent once
      this.pty.questions.choose() // the missed output may have had some
    }
    if (this.#isAsking || !this.#isDue(SCREEN_MS)) return false
    this.#isAsking = true
    let isAtOnce = true
    const isBrief = this.#isSlow || this.#lacksHistory
    if (isBrief) this.#lackHistory()
    this.pty.screen((offset, bytes) => {
      this.#isAsking = false
      if (this.#isClosed) return
      if (this.#pictures) return this.catchUp() // its window has another size by now
      this.#needsScreen = this.#isOutdated
      this.#isOutdated = false
      this.#next = offset
      this.#sinceScreen = 0
      this.#outlet.send(encodeScreen(this.#outlet.channel, offset, bytes))
      this.pty.questions.choose()
      if (isAtOnce) return
      this.catchUp()
      if (this.#direct) this.pty.takeBack() // it has waited for this screen before it could read by itself
    }, !isBrief)
    isAtOnce = false
    return !this.#isAsking
  }

  #draw(): void {
    if (!this.#pictures || !this.#size || !this.#isStale || this.#isAsking) return
    if (!this.#finishing && this.#room <= 0) return
    if (!this.#isDue(PICTURE_MS)) return
    this.#isStale = false
    this.#isAsking = true
    this.pty.picture(this.#size, (offset, picture) => {
      this.#isAsking = false
      if (this.#isClosed) return
      this.#next = offset
      const drawn = this.#pictures?.next(picture)
      this.#sinceScreen = Number.POSITIVE_INFINITY // each picture is drawn for the window's size
      const encode = drawn?.anew ? encodeScreen : encodePicture
      if (drawn) this.#outlet.send(encode(this.#outlet.channel, offset, drawn.bytes))
      if (this.#isStale || !this.#pictures || this.#finishing) this.catchUp()
    })
  }

  /** Returns whether `interval` has passed since the last screen; otherwise schedules `catchUp` for then. */
  #isDue(interval: number): boolean {
    const wait = this.#screenAt + interval - Date.now()
    if (wait <= 0 || this.#finishing) {
      this.#screenAt = Date.now()
      return true
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.catchUp()
    }, wait)
    return false
  }

  close(): void {
    this.#isClosed = true
    this.#whenSent?.()
    clearTimeout(this.#timer)
    clearTimeout(this.#calm)
    this.pty.detach(this)
  }
}
