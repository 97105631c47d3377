/** State that the library does not keep, or keeps differently from terminals; gathered by listening to its parser. */
import type { Buffer, Charset, Core, Emulator, Extended } from './internals.ts'

/** The state that DECSC saves in other terminals: the library forgets charsets, origin mode and underline styles. */
export interface Saved {
  readonly x: number
  /** Counted from the top of the screen. The library counts from the top of the scrollback, so saved lines scroll. */
  readonly y: number
  readonly fg: number
  readonly bg: number
  readonly extended: Extended | undefined
  readonly origin: boolean
  readonly charsets: readonly (Charset | undefined)[]
  readonly level: number
}

export const NOTHING_SAVED: Saved = {
  ...{ x: 0, y: 0, fg: 0, bg: 0, extended: undefined },
  ...{ origin: false, charsets: [], level: 0 },
}

/** Kitty's keyboard flags; the first are those in force when nothing is pushed. */
export type Keyboard = number[]

/** Undefined as long as the program has set none: the viewer's terminal keeps its own. */
export interface Titles {
  readonly window: string | undefined
  readonly icon: string | undefined
}

/** Private modes that the library does not keep. Their state in the viewer's terminal is unknown. */
const MODES = new Set([
  5, 8, 12, 1005, 1007, 1015, 1034, 1035, 1036, 1037, 1039, 1042, 1043, 1070, 2027, 2031, 2048, 9001,
])
const ALTERNATE = [47, 1047, 1049]
const KEYBOARD_LIMIT = 32 // kitty's limit is similar; a program in a loop must not fill the memory
const TITLE_LIMIT = 10
const TITLE_LENGTH = 4096
const COLOR_LENGTH = 64
const MODIFIERS = 16 // resources of XTMODKEYS; xterm has eight

export class Extras {
  readonly #core: Core
  readonly #saved = new WeakMap<Buffer, Saved>()
  readonly keyboards = { normal: [0] as Keyboard, alt: [0] as Keyboard }
  /** In the order of their last change. */
  readonly modes = new Map<number, boolean>()
  /** XTMODKEYS: from resource to value; `undefined` means disabled. */
  readonly modifiers = new Map<number, number | undefined>()
  /** From `4;7` or `11` to the colour's name, ready for an OSC. */
  readonly colors = new Map<string, string>()
  title: Titles = { window: undefined, icon: undefined }
  readonly titleStack: Titles[] = []
  cursorStyle = 0
  /** The mode that switched to the alternate screen. */
  alternateBy = 1049

  constructor({ core, parser }: Emulator) {
    this.#core = core
    const csi = (prefix: string, intermediates: string, final: string, handle: (params: number[]) => void) =>
      parser.registerCsiHandler(
        { ...(prefix && { prefix }), ...(intermediates && { intermediates }), final },
        (params) => {
          handle(params.map((param) => (typeof param === 'number' ? param : (param[0] ?? 0))))
          return false // the library handles it, too
        },
      )
    const esc = (final: string, handle: () => void) =>
      parser.registerEscHandler({ final }, () => {
        handle()
        return false
      })
    const osc = (number: number, handle: (data: string) => void) =>
      parser.registerOscHandler(number, (data) => {
        handle(data)
        return false
      })
    esc('7', () => this.#save())
    esc('8', () => this.#prepareRestore(core.buffers.active))
    csi('', '', 's', () => this.#save())
    csi('', '', 'u', () => this.#prepareRestore(core.buffers.active))
    esc('c', () => this.#reset())
    csi('', '!', 'p', () => this.#softReset())
    csi('?', '', 'h', (params) => {
      for (const mode of params) this.#setMode(mode)
    })
    csi('?', '', 'l', (params) => {
      for (const mode of params) this.#resetMode(mode)
    })
    csi('', ' ', 'q', ([style]) => {
      this.cursorStyle = style ?? 0
      this.modes.delete(12) // DECSCUSR sets the blinking again
    })
    csi('>', '', 'm', ([resource, value]) => this.#modify(resource, value))
    csi('>', '', 'n', ([resource]) => {
      if ((resource ?? 0) < MODIFIERS) this.modifiers.set(resource || 2, undefined)
    })
    csi('>', '', 'u', ([flags]) => this.#pushKeyboard(flags ?? 0))
    csi('<', '', 'u', ([count]) => this.#popKeyboard(count || 1))
    csi('=', '', 'u', ([flags, how]) => this.#changeKeyboard(flags ?? 0, how || 1))
    csi('', '', 't', ([what, which]) => this.#stackTitle(what ?? 0, which ?? 0))
    osc(0, (data) => this.#setTitle(data, true, true))
    osc(1, (data) => this.#setTitle(data, false, true))
    osc(2, (data) => this.#setTitle(data, true, false))
    osc(4, (data) => this.#palette(data))
    osc(104, (data) => this.#resetPalette(data))
    for (let number = 10; number <= 19; number++) {
      osc(number, (data) => {
        for (const [i, color] of data.split(';').entries()) this.#color(String(number + i), color)
      })
      osc(number + 100, () => this.colors.delete(String(number)))
    }
  }

  saved(buffer: Buffer): Saved {
    return this.#saved.get(buffer) ?? NOTHING_SAVED
  }

  /** A saved line stays with its text when `resize` changes the size. */
  resizing(resize: () => void): void {
    const { normal, alt } = this.#core.buffers
    for (const buffer of [normal, alt]) buffer.savedY = this.saved(buffer).y + buffer.ybase
    resize()
    const { cols, rows } = this.#core
    for (const buffer of [normal, alt]) {
      const saved = this.#saved.get(buffer)
      const y = Math.max(0, Math.min(rows - 1, buffer.savedY - buffer.ybase))
      if (saved) this.#saved.set(buffer, { ...saved, x: Math.min(saved.x, cols - 1), y })
    }
  }

  get #keyboard(): Keyboard {
    const { active, alt } = this.#core.buffers
    return active === alt ? this.keyboards.alt : this.keyboards.normal
  }

  #save(): void {
    const { buffers, coreService, _charsetService, _inputHandler } = this.#core
    const { fg, bg, extended } = _inputHandler._curAttrData
    this.#saved.set(buffers.active, {
      x: Math.min(buffers.active.x, this.#core.cols - 1),
      y: buffers.active.y,
      fg,
      bg,
      extended: extended.clone(),
      origin: coreService.decPrivateModes.origin,
      charsets: [..._charsetService._charsets],
      level: _charsetService.glevel,
    })
  }

  /** Puts the saved state where the library looks for it, just before it restores. */
  #prepareRestore(buffer: Buffer): void {
    const { coreService, _charsetService, _inputHandler } = this.#core
    const saved = this.saved(buffer)
    const pen = _inputHandler._curAttrData
    const extended = (saved.extended ?? buffer.getNullCell().extended).clone()
    extended.urlId = pen.extended.urlId // links are not part of the saved state
    pen.extended = extended
    buffer.savedX = saved.x
    buffer.savedY = saved.y + buffer.ybase
    buffer.savedCurAttrData.fg = saved.fg
    buffer.savedCurAttrData.bg = extended.isEmpty() ? saved.bg & ~(1 << 28) : saved.bg | (1 << 28)
    buffer.savedCharset = saved.charsets[saved.level]
    coreService.decPrivateModes.origin = saved.origin
    _charsetService._charsets = [...saved.charsets]
    _charsetService.glevel = saved.level
  }

  #reset(): void {
    this.keyboards.normal = [0]
    this.keyboards.alt = [0]
    this.modes.clear()
    this.modifiers.clear()
    this.colors.clear()
    this.cursorStyle = 0
    // The library does not reset these.
    this.#core.options.convertEol = false
    this.#core.options.cursorBlink = false
    this.#core.coreService.isCursorHidden = false
  }

  #softReset(): void {
    this.#saved.delete(this.#core.buffers.active)
    this.cursorStyle = 0
  }

  #setMode(mode: number): void {
    const { active, normal } = this.#core.buffers
    if (mode === 1048 || mode === 1049) this.#save()
    if (ALTERNATE.includes(mode) && active === normal) this.alternateBy = mode
    this.#remember(mode, true)
  }

  #resetMode(mode: number): void {
    if (mode === 1048) this.#prepareRestore(this.#core.buffers.active)
    if (mode === 1049) this.#prepareRestore(this.#core.buffers.normal)
    this.#remember(mode, false)
  }

  #remember(mode: number, on: boolean): void {
    if (!MODES.has(mode)) return
    this.modes.delete(mode)
    this.modes.set(mode, on)
  }

  #modify(resource: number | undefined, value: number | undefined): void {
    if (resource === undefined || (resource === 0 && value === undefined)) this.modifiers.clear()
    else if (value === undefined) this.modifiers.delete(resource)
    else if (resource < MODIFIERS) this.modifiers.set(resource, value)
  }

  #pushKeyboard(flags: number): void {
    const keyboard = this.#keyboard
    keyboard.push(flags)
    if (keyboard.length > KEYBOARD_LIMIT) keyboard.splice(1, 1)
  }

  #popKeyboard(count: number): void {
    const keyboard = this.#keyboard
    if (count < keyboard.length) keyboard.length -= count
    else keyboard.splice(0, keyboard.length, 0) // more pops than pushes: no flags are in force
  }

  #changeKeyboard(flags: number, how: number): void {
    const keyboard = this.#keyboard
    const now = keyboard.at(-1) ?? 0
    keyboard[keyboard.length - 1] = how === 2 ? now | flags : how === 3 ? now & ~flags : flags
  }

  #stackTitle(what: number, which: number): void {
    const { title, titleStack: stack } = this
    if (what === 22) {
      stack.push(title)
      if (stack.length > TITLE_LIMIT) stack.shift()
    } else if (what === 23) {
      const top = stack.pop() ?? title
      this.title = {
        window: which === 1 ? title.window : top.window,
        icon: which === 2 ? title.icon : top.icon,
      }
    }
  }

  #setTitle(text: string, window: boolean, icon: boolean): void {
    const clean = text.replace(/[\x00-\x1f\x7f-\x9f]/g, '').slice(0, TITLE_LENGTH)
    const { title } = this
    this.title = { window: window ? clean : title.window, icon: icon ? clean : title.icon }
  }

  #palette(data: string): void {
    const parts = data.split(';')
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const index = parts[i] ?? ''
      if (/^\d{1,3}$/.test(index) && Number(index) < 256)
        this.#color(`4;${Number(index)}`, parts[i + 1] ?? '')
    }
  }

  #resetPalette(data: string): void {
    for (const index of data.split(';').filter(Boolean)) this.colors.delete(`4;${Number(index)}`)
    if (data !== '') return
    for (const key of [...this.colors.keys()]) if (key.startsWith('4;')) this.colors.delete(key)
  }

  /** A name or a number; queries are ignored. */
  #color(key: string, color: string): void {
    if (/^[\w#:/., -]+$/.test(color) && color.length <= COLOR_LENGTH && Number(key.split(';')[0]) <= 19) {
      this.colors.set(key, color)
    }
  }
}
