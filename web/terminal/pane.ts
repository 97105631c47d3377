/** One terminal of a box on the page: xterm.js fed by a line of the connection. */

import { effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import type { CoopError } from '../../src/core/errors.ts'
import type { ExitMessage } from '../../src/protocol/server-messages.ts'
import { minimumContrast } from '../../src/themes/themes.ts'
import { notify, type ShownTerminal, throughKeys } from '../app.ts'
import type { Connection } from '../connection/connection.ts'
import { readRing } from '../connection/read-ring.ts'
import { type LineUser, TerminalLine } from '../connection/terminal-line.ts'
import { fonts, settings, theme } from '../settings/settings.ts'
import { copy, handleClipboard } from './clipboard.ts'
import { showCursor } from './cursor.ts'
import { useGraphicsCard } from './graphics.ts'
import { openAddress, webAddress } from './links.ts'
import { onOwnInput } from './own-input.ts'
import { Scrollback } from './scrollback.ts'
import { unhang } from './unhang.ts'
import { needsGraphemes, useGraphemes } from './widths.ts'

/** Resets the terminal in the order of the output; a call of `reset` would overtake what is still to be parsed. */
const RESET = new TextEncoder().encode('\x1bc')
const HIDE_CURSOR = new TextEncoder().encode('\x1b[?25l')
const MAX_TITLE = 200 // characters
const RENEW_MS = 200 // after the last resize
const MAX_FITS = 3
const FIT_MS = 50 // while a border is dragged: a full-screen program draws itself anew each time

export interface PaneOptions {
  readonly box: string
  readonly pty: number
  readonly readonly: boolean
  /** Asks the user whether to open the address of a link whose text says something else. */
  confirmLink(address: string): Promise<boolean>
}

/** How a terminal's program ended, or why it cannot be shown. */
export type PaneEnd = ExitMessage | CoopError

export class Pane implements ShownTerminal, LineUser {
  readonly box: string
  readonly pty: number
  readonly element = document.createElement('div')
  readonly terminal: Terminal
  readonly line: TerminalLine
  readonly #connection: Connection
  readonly #screen = document.createElement('div')
  readonly #fit = new FitAddon()
  readonly #title = signal('')
  readonly end: Signal<PaneEnd | undefined> = signal(undefined)
  readonly isSearching = signal(false)
  readonly isScrolledUp = signal(false)
  readonly #scrollback: Scrollback
  readonly #observer = new ResizeObserver(() => this.#fitSoon())
  readonly #ends: (() => void)[] = []
  /** A screen has come since the terminal was attached. */
  #hasScreen = false
  /** The window has another size than the screen that came last, or is to come. */
  #needsScreen = false
  #renewal: ReturnType<typeof setTimeout> | undefined
  #fitting: ReturnType<typeof setTimeout> | undefined
  #hasGraphemes = false
  /** Output that waits for the widths of its characters. */
  #waiting: (() => void)[] | undefined
  #isShown = false
  #isOpen = false
  /** `focus` was called before the terminal could be opened. */
  #wantsFocus = false
  #isClosed = false

  constructor(connection: Connection, { box, pty, readonly, confirmLink }: PaneOptions) {
    this.#connection = connection
    this.box = box
    this.pty = pty
    this.element.className = 'pane'
    this.#screen.className = 'pane-screen'
    this.element.append(this.#screen)
    const { fontSize, scrollback, screenReader } = settings.peek()
    this.terminal = new Terminal({
      allowProposedApi: true, // for widths of graphemes and marks of search results
      fontFamily: fonts.peek(),
      fontSize,
      scrollback,
      screenReaderMode: screenReader,
      disableStdin: readonly,
      theme: theme.peek().terminal,
      minimumContrastRatio: minimumContrast(theme.peek()),
      macOptionClickForcesSelection: true,
      linkHandler: {
        // The text of such a link can name another place than its address.
        activate: (_, text) => {
          const address = webAddress(text)
          if (address) void confirmLink(address).then((yes) => yes && openAddress(address))
        },
      },
    })
    this.terminal.loadAddon(this.#fit)
    unhang(this.terminal)
    handleClipboard(this.terminal, (text) => this.#programCopies(text))
    this.line = new TerminalLine(connection, { box, pty, readonly }, this)
    this.#scrollback = new Scrollback(connection, this)
    onOwnInput(this.terminal, (bytes) => this.line.send(throughKeys.value?.(bytes) ?? bytes))
    this.terminal.onTitleChange((title) => {
      this.#title.value = title.slice(0, MAX_TITLE)
    })
    this.terminal.onScroll(() => this.#scrolled())
    this.#ends.push(
      effect(() => {
        const { fontSize, scrollback, screenReader } = settings.value
        const { options } = this.terminal
        options.fontSize = fontSize
        options.fontFamily = fonts.value
        options.scrollback = scrollback
        options.screenReaderMode = screenReader
        options.theme = theme.value.terminal
        options.minimumContrastRatio = minimumContrast(theme.value)
        this.#fitSoon()
      }),
    )
  }

  get title(): ReadonlySignal<string> {
    return this.#title
  }

  get applicationCursor(): boolean {
    return this.terminal.modes.applicationCursorKeysMode
  }

  get isAlternate(): boolean {
    return this.terminal.buffer.active.type === 'alternate'
  }

  get wantsMouse(): boolean {
    return this.terminal.modes.mouseTrackingMode !== 'none'
  }

  get size(): { columns: number; rows: number } {
    return { columns: this.terminal.cols, rows: this.terminal.rows }
  }

  get rowHeight(): number {
    const { rows } = this.terminal
    return (this.#screen.querySelector('.xterm-screen')?.clientHeight ?? 0) / rows || 16
  }

  send(bytes: Uint8Array | string): void {
    this.line.send(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
    this.terminal.scrollToBottom()
  }

  paste(text: string): void {
    this.terminal.paste(text)
  }

  focus(): void {
    this.open()
    if (this.#isOpen) this.terminal.focus()
    else this.#wantsFocus = true
  }

  scroll(lines: number): void {
    this.terminal.scrollLines(lines)
  }

  scrollToBottom(): void {
    this.terminal.scrollToBottom()
  }

  /**
   * Opens the terminal once its element is in the document, where the library measures its font, and attaches. A tab that
   * was never looked at is not attached: it would count as looked at, and has no size.
   */
  open(): void {
    if (this.#isOpen || !this.element.isConnected || !this.element.clientWidth) return
    this.#isOpen = true
    this.terminal.open(this.#screen)
    showCursor(this.terminal)
    this.line.attach()
    this.fit()
    if (this.#wantsFocus) this.terminal.focus()
    this.#observer.observe(this.element)
    void useGraphicsCard(this.terminal)
    // Only a pointer finds links.
    this.element.addEventListener('pointermove', () => void this.#findLinks(), { once: true })
  }

  async #findLinks(): Promise<void> {
    const loaded = await import('@xterm/addon-web-links').catch(() => undefined) // the server is away
    if (!loaded || this.#isClosed) return
    const { WebLinksAddon } = loaded
    this.terminal.loadAddon(new WebLinksAddon((_, address) => void openAddress(address)))
  }

  /** Says whether a person can see the terminal. A hidden one takes part in nobody's size. */
  set isShown(isShown: boolean) {
    this.#isShown = isShown
    if (isShown) this.fit()
    else this.#tellSize()
  }

  get isShown(): boolean {
    return this.#isShown
  }

  #fitSoon(): void {
    this.#fitting ??= setTimeout(() => {
      this.#fitting = undefined
      this.fit()
    }, FIT_MS)
  }

  fit(): void {
    this.open()
    if (!this.#isOpen || this.#isClosed || !this.element.clientWidth) return
    const { cols, rows } = this.terminal
    // The library rounds the width of all columns, so each size may propose another one; only the last one is told.
    for (let turn = 0; turn < MAX_FITS; turn++) {
      const size = this.#fit.proposeDimensions()
      if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) break
      if (size.cols === this.terminal.cols && size.rows === this.terminal.rows) break
      const isLast = turn === MAX_FITS - 1
      this.terminal.resize(isLast ? Math.min(size.cols, this.terminal.cols) : size.cols, size.rows)
    }
    if (cols !== this.terminal.cols || rows !== this.terminal.rows) this.#resized()
    this.#tellSize()
  }

  /** A screen that was drawn for the size before, or is on the way, does not fit any more. */
  #resized(): void {
    if (this.#scrollback.resized() || (this.line.state.value !== 'waiting' && !this.#hasScreen))
      this.#needsScreen = true
    if (!this.#needsScreen) return
    clearTimeout(this.#renewal)
    this.#renewal = setTimeout(() => {
      this.#needsScreen = false
      if (this.line.state.value === 'attached') this.line.attach(true)
    }, RENEW_MS)
  }

  #tellSize(): void {
    if (!this.#isOpen) return
    const { cols: columns, rows } = this.terminal
    const drawn = this.#screen.querySelector('.xterm-screen')
    const pixels = drawn ? { width: drawn.clientWidth, height: drawn.clientHeight } : {}
    this.line.resize({ columns, rows, ...pixels }, this.#isShown && document.visibilityState === 'visible')
  }

  output(bytes: Uint8Array, offset: number, shown: () => void): void {
    this.#scrollback.output(bytes, offset)
    this.#write(bytes, shown)
  }

  screen(bytes: Uint8Array, offset: number, shown: () => void): void {
    this.end.value = undefined
    this.#hasScreen = true
    this.#write(RESET)
    this.#scrollback.screen(bytes, offset)
    this.#write(bytes, () => {
      shown()
      this.#scrollback.drawn(offset)
    })
  }

  picture(bytes: Uint8Array, shown: () => void): void {
    this.#scrollback.forget()
    this.#write(bytes, shown)
  }

  /** Shows these bytes from a reset terminal, in place of everything before. */
  replace(bytes: Uint8Array): void {
    const { baseY, viewportY } = this.terminal.buffer.active
    this.#write(RESET)
    this.#write(bytes, () => {
      if (viewportY < baseY)
        this.terminal.scrollToLine(this.terminal.buffer.active.baseY - (baseY - viewportY))
    })
  }

  #write(bytes: Uint8Array, then?: () => void): void {
    if (this.#isClosed) return
    if (this.#waiting) void this.#waiting.push(() => this.#parse(bytes, then))
    else if (this.#hasGraphemes || !needsGraphemes(bytes)) this.#parse(bytes, then)
    else {
      this.#waiting = [() => this.#parse(bytes, then)]
      void useGraphemes(this.terminal).then(() => {
        this.#hasGraphemes = true
        const waiting = this.#waiting ?? []
        this.#waiting = undefined
        for (const write of waiting) write()
      })
    }
  }

  #parse(bytes: Uint8Array, then?: () => void): void {
    if (this.#isClosed) return
    // The bytes are a view of the message, which nobody changes.
    this.terminal.write(bytes, () => {
      if (this.#isClosed) return
      then?.()
    })
  }

  #scrolled(): void {
    const { baseY, viewportY } = this.terminal.buffer.active
    this.isScrolledUp.value = viewportY < baseY
  }

  notice(text: string): void {
    notify(text)
  }

  ended(message: ExitMessage): void {
    this.end.value = message
  }

  refused(error: CoopError): void {
    this.end.value = error
    if (error.code === 'E_BOX_STATE') void this.#showLastOutput()
  }

  /** Shows what the terminal of a stopped box had at the end, behind the words about that. */
  async #showLastOutput(): Promise<void> {
    const output = await readRing(this.#connection, this.box, this.pty).catch(() => undefined) // none is kept
    if (!output?.length || !this.end.value) return
    this.#write(RESET)
    this.#write(output)
    this.#write(HIDE_CURSOR)
  }

  dropped(bytes: Uint8Array): void {
    const count = bytes.length
    notify(`What you typed was not sent (${count} ${count === 1 ? 'byte' : 'bytes'}).`, {
      kind: 'error',
      hint: 'type it again',
    })
  }

  /** Shows the terminal again after its end. */
  again(): void {
    this.end.value = undefined
    this.line.attach(true)
    if (this.#isShown && this.element.contains(document.activeElement)) this.focus()
  }

  #programCopies(text: string): void {
    if (settings.value.clipboard && this.#isShown) void copy(text)
    else if (this.#isShown)
      notify('A program wanted to put text on the clipboard.', { hint: 'allow it in the settings' })
  }

  /** Calls back when the pane is closed. */
  onClose(end: () => void): void {
    this.#ends.push(end)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const end of this.#ends) end()
    clearTimeout(this.#fitting)
    clearTimeout(this.#renewal)
    this.#observer.disconnect()
    this.#scrollback.forget()
    this.line.close()
    this.terminal.dispose()
    this.element.remove()
  }
}
