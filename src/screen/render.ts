/** Renders the state of a terminal as sequences that bring a freshly reset terminal to it. */

import type { Steps } from '../core/steps.ts'
import type { Extras, Keyboard, Saved } from './extras.ts'
import { NOTHING_SAVED } from './extras.ts'
import { lastPrinted } from './guards.ts'
import { type Buffer, type Charset, type Core, designationOf, type Line } from './internals.ts'
import { MAX_RENDERED } from './limits.ts'
import { colors, keyboard, modes, titles } from './modes.ts'
import { type Content, Painter } from './painter.ts'
import { attributesOfPen, PLAIN, same, select } from './pen.ts'

const SHIFT = ['\x0f', '\x0e', '\x1bn', '\x1bo']
const SLOTS = '()*+'

/**
 * `skip`: the number of oldest scrollback lines to leave out. `exact`: for an emulator of our own. Undefined if the result is too long.
 */
export function render(core: Core, extras: Extras, skip: number, exact: boolean): Steps<string | undefined> {
  return new Renderer(core, extras, exact).all(skip)
}

class Renderer {
  readonly #core: Core
  readonly #extras: Extras
  readonly #painter: Painter
  /** The charsets of the viewer's terminal so far. */
  #charsets = { sets: [] as readonly (Charset | undefined)[], level: 0 }
  #originOn = false
  #regionSet = false

  constructor(core: Core, extras: Extras, exact: boolean) {
    this.#core = core
    this.#extras = extras
    this.#painter = new Painter(core, exact)
  }

  *all(skip: number): Steps<string | undefined> {
    const { buffers, coreService } = this.#core
    const { keyboards } = this.#extras
    // First, so that the drawing appears when the program has completed its own picture.
    if (coreService.decPrivateModes.synchronizedOutput) this.#write('\x1b[?2026h')
    this.#write(titles(this.#extras) + colors(this.#extras))
    this.#write(keyboard(keyboards.normal))
    yield* this.#contents(buffers.normal, skip)
    if (this.#painter.length > MAX_RENDERED && skip < buffers.normal.ybase) return undefined
    const inAlternate = buffers.active === buffers.alt
    const savedThere = this.#extras.saved(buffers.alt) !== NOTHING_SAVED
    if (inAlternate) yield* this.#enterAlternate()
    else {
      this.#saved(buffers.normal)
      if (savedThere || !isInitial(keyboards.alt)) this.#visitAlternate()
    }
    this.#setCharsets(this.#core._charsetService._charsets, this.#core._charsetService.glevel)
    this.#write(modes(this.#core, this.#extras))
    this.#drawing()
    this.#cursor(buffers.active)
    return this.#painter.take()
  }

  #write(text: string): void {
    this.#painter.write(text)
  }

  /** Switches a terminal with a complete normal screen to the alternate one. */
  *#enterAlternate(): Steps<void> {
    const { normal, alt } = this.#core.buffers
    const saved = this.#extras.saved(normal)
    const by = this.#extras.alternateBy
    if (by === 1049) {
      this.#toSaved(normal, saved)
      this.#write('\x1b[?1049h')
      this.#plain()
      // Text may have moved since, because of a new size: the library then has two places for the cursor.
      if (normal.y !== Math.min(saved.y, this.#core.rows - 1)) {
        this.#write('\x1b[?1047l')
        this.#place(normal.x, normal.y)
        this.#write('\x1b[?1047h')
      }
    } else {
      this.#saved(normal)
      this.#place(normal.x, normal.y)
      this.#write(`\x1b[?${by}h`)
    }
    if (this.#regionSet) this.#write('\x1b[r')
    this.#regionSet = false
    this.#write('\x1b[H\x1b[2J')
    this.#write(keyboard(this.#extras.keyboards.alt))
    yield* this.#contents(alt)
    this.#saved(alt)
  }

  /** Sets the part of the alternate screen's state that it keeps while hidden. */
  #visitAlternate(): void {
    const { normal, alt } = this.#core.buffers
    this.#write('\x1b[?1047h')
    this.#write(keyboard(this.#extras.keyboards.alt))
    const saved = this.#extras.saved(alt)
    this.#saved(alt, { ...saved, origin: false })
    this.#write('\x1b[?1047l')
    this.#place(normal.x, normal.y)
  }

  /** Text, tab stops and scroll region. */
  *#contents(buffer: Buffer, skip = 0): Steps<void> {
    yield* this.#painter.buffer(buffer, skip)
    this.#painter.pen(PLAIN)
    this.#tabs(buffer)
    const { scrollTop, scrollBottom } = buffer
    this.#regionSet = scrollTop !== 0 || scrollBottom !== this.#core.rows - 1
    if (this.#regionSet) this.#write(`\x1b[${scrollTop + 1};${scrollBottom + 1}r`)
  }

  #tabs({ tabs }: Buffer): void {
    const stops: number[] = []
    for (let x = 0; x < this.#core.cols; x++) if (tabs[x]) stops.push(x)
    const isDefault = stops.length === Math.ceil(this.#core.cols / 8) && stops.every((x) => x % 8 === 0)
    if (isDefault) return
    this.#write('\x1b[3g')
    for (const x of stops) this.#write(`\x1b[${x + 1}G\x1bH`)
  }

  #saved(buffer: Buffer, saved: Saved = this.#extras.saved(buffer)): void {
    if (saved === NOTHING_SAVED) return
    this.#toSaved(buffer, saved)
    this.#write('\x1b7')
    this.#plain()
  }

  /** Sets cursor, pen, charsets and origin mode to the saved state. */
  #toSaved(buffer: Buffer, saved: Saved): void {
    const { extended = buffer.getNullCell().extended } = saved
    this.#setCharsets(saved.charsets, saved.level)
    const pen = attributesOfPen({ fg: saved.fg, bg: saved.bg, extended })
    this.#setOrigin(saved.origin)
    this.#place(saved.x, saved.y, buffer)
    this.#painter.pen({ ...pen, link: 0 })
  }

  #plain(): void {
    this.#painter.pen(PLAIN)
    this.#setCharsets([], 0)
    this.#setOrigin(false)
  }

  #setOrigin(on: boolean): void {
    if (on !== this.#originOn) this.#write(on ? '\x1b[?6h' : '\x1b[?6l')
    this.#originOn = on
  }

  #place(x: number, y: number, { scrollTop }: Buffer = this.#core.buffers.active): void {
    const row = Math.max(1, (this.#originOn ? y - scrollTop : y) + 1)
    this.#write(`\x1b[${row};${Math.min(x, this.#core.cols - 1) + 1}H`)
  }

  #setCharsets(sets: readonly (Charset | undefined)[], level: number): void {
    for (let slot = 0; slot < SLOTS.length; slot++) {
      if (sets[slot] === this.#charsets.sets[slot]) continue
      this.#write(`\x1b${SLOTS[slot]}${designationOf(sets[slot])}`)
    }
    if (level !== this.#charsets.level) this.#write(SHIFT[level] ?? '\x0f')
    this.#charsets = { sets: [...sets], level }
  }

  /** State that affects the drawing itself; the cursor comes last. */
  #drawing(): void {
    const { coreService, options } = this.#core
    const { reverseWraparound, wraparound } = coreService.decPrivateModes
    if (reverseWraparound) this.#write('\x1b[?45h')
    if (!wraparound) this.#write('\x1b[?7l')
    if (options.convertEol) this.#write('\x1b[20h')
    if (coreService.modes.insertMode) this.#write('\x1b[4h')
    if (coreService.isCursorHidden) this.#write('\x1b[?25l')
  }

  /**
   * Cursor and pen. After a character at the right edge the cursor hangs there, and only printing the character again
   * brings it back. REP also repeats that character, and marks join it.
   */
  #cursor(buffer: Buffer): void {
    const { cols, coreService, _inputHandler } = this.#core
    const pen = attributesOfPen(_inputHandler._curAttrData)
    this.#setOrigin(coreService.decPrivateModes.origin)
    const line = buffer.lines.get(buffer.ybase + buffer.y)
    const printed = lastPrinted(this.#core)
    const hangs = buffer.x >= cols
    const edge = line?.getWidth(cols - 1) === 0 ? cols - 2 : cols - 1
    const x = printed?.x ?? edge
    const content = line && (printed || hangs) ? this.#painter.content(line, x) : undefined
    const text = content && this.#typed(content.text || ' ')
    if (text === undefined) {
      this.#place(buffer.x, buffer.y)
      this.#painter.pen(pen)
      return
    }
    this.#place(x, buffer.y)
    if (coreService.modes.insertMode) this.#write(`\x1b[${content?.width}P`)
    this.#painter.pen(printed ? pen : (content?.look ?? pen))
    this.#write(text)
    if (!printed && line && this.#isErased(line, content)) this.#write('\x1b[1K')
    this.#painter.pen(pen)
    // End with a sequence if nothing was printed; otherwise REP would repeat the last character.
    if (!printed) this.#write(select(pen))
  }

  /** Erasing a line does not move a hanging cursor: the space that brought it to the edge must be erased again. */
  #isErased(line: Line, last: Content | undefined): boolean {
    const { cols } = this.#core
    if (last?.text !== '') return false
    for (let x = 0; x < cols; x++) {
      const { text, look } = this.#painter.content(line, x)
      if (text !== '' || !same(look, last.look)) return false
    }
    return true
  }

  /** The bytes to send for a text to appear, given the charset in force. */
  #typed(text: string): string | undefined {
    const charset = this.#charsets.sets[this.#charsets.level]
    const first = text.charAt(0)
    if (!charset || first >= '\x7f' || charset[first] === undefined) return text
    const key = Object.keys(charset).find((candidate) => charset[candidate] === first)
    return key === undefined ? undefined : key + text.slice(1)
  }
}

const isInitial = (keyboard: Keyboard) => keyboard.length === 1 && keyboard[0] === 0
