/**
 * The only module that knows the internals of `@xterm/headless`. Its public interface shows text and modes, but not the
 * pen, saved cursors, charsets, scroll regions, tab stops, links or the parser's state. The version is pinned, and
 * `open` checks that the internals used here exist.
 */
import { type IParser, Terminal } from '@xterm/headless'
import { guard } from './guards.ts'
import { scrollbackOf } from './limits.ts'
import { characterWidth } from './width.ts'

export const FG = {
  inverse: 1 << 26,
  bold: 1 << 27,
  underline: 1 << 28,
  blink: 1 << 29,
  invisible: 1 << 30,
  strike: 1 << 31,
}
export const BG = { italic: 1 << 26, dim: 1 << 27, extended: 1 << 28, protected: 1 << 29, overline: 1 << 30 }
/** Fields of `fg`, `bg` and the underline's colour: two bits of mode, then 8 bits of palette or 24 of colour. */
export const COLOR = { mode: 0x3000000, palette16: 0x1000000, palette256: 0x2000000, rgb: 0x3000000 }

export interface Extended {
  /** Underline colour and (bits 26 to 28) style as the program set them; `ext` shows links as dashed. */
  readonly _ext: number
  urlId: number
  clone(): Extended
  isEmpty(): boolean
}

/** The attributes that both a cell and the pen have. */
export interface Attributed {
  fg: number
  bg: number
  extended: Extended
}

export interface Cell extends Attributed {
  content: number
  combinedData: string
  getWidth(): number
  getChars(): string
}

export interface Line {
  isWrapped: boolean
  readonly length: number
  loadCell(column: number, cell: Cell): Cell
  getWidth(column: number): number
  getString(column: number): string
  addCodepointToCell(column: number, code: number, width: number): void
}

/** Receives the characters of a string as they arrive. */
interface StringParser {
  put(data: Uint32Array, start: number, end: number): void
}

export interface Parser {
  readonly currentState: number
  readonly precedingJoinState: number
  readonly _oscParser: StringParser & { start(): void; end(success: boolean, ...rest: unknown[]): unknown }
  readonly _dcsParser: StringParser & {
    hook(...header: unknown[]): void
    unhook(success: boolean, ...rest: unknown[]): unknown
  }
  reset(): void
}

export interface Buffer {
  readonly lines: { readonly length: number; get(row: number): Line | undefined }
  readonly ybase: number
  x: number
  readonly y: number
  readonly scrollTop: number
  readonly scrollBottom: number
  readonly tabs: Record<number, boolean | undefined>
  savedX: number
  /** Counted from the top of the scrollback. */
  savedY: number
  readonly savedCurAttrData: { fg: number; bg: number }
  savedCharset: Charset | undefined
  getNullCell(): Cell
}

/** The replacements of a national or graphic set for ASCII. `undefined` is ASCII. */
export type Charset = Readonly<Record<string, string>>

export interface Core {
  readonly cols: number
  readonly rows: number
  readonly options: { convertEol: boolean; cursorBlink: boolean }
  readonly buffers: { readonly normal: Buffer; readonly alt: Buffer; readonly active: Buffer }
  readonly coreService: {
    isCursorHidden: boolean
    readonly modes: { readonly insertMode: boolean }
    readonly decPrivateModes: {
      readonly applicationCursorKeys: boolean
      readonly applicationKeypad: boolean
      readonly bracketedPasteMode: boolean
      origin: boolean
      readonly reverseWraparound: boolean
      readonly sendFocus: boolean
      readonly synchronizedOutput: boolean
      readonly wraparound: boolean
    }
  }
  readonly coreMouseService: { readonly activeProtocol: string; readonly activeEncoding: string }
  readonly unicodeService: { register(provider: UnicodeProvider): void; activeVersion: string }
  readonly _charsetService: { glevel: number; _charsets: (Charset | undefined)[] }
  readonly _oscLinkService: {
    registerLink(link: { id?: string; uri: string }): number
    addLineToLink(number: number, line: number): void
    getLinkData(number: number): { id?: string; uri: string } | undefined
  }
  readonly _inputHandler: {
    /** Synchronous, because no handler of ours returns a promise. */
    parse(bytes: Uint8Array): void
    /** Unlike the public one it passes the parameters themselves, which may be changed. */
    registerCsiHandler(
      id: { prefix?: string; intermediates?: string; final: string },
      handle: (params: Params) => boolean,
    ): void
    registerEscHandler(id: { final: string }, handle: () => boolean): void
    setScrollRegion(params: Params): boolean
    cursorPosition(params: Params): boolean
    eraseInDisplay(params: Params): boolean
    _eraseInBufferLine(y: number, from: number, to: number, unwrap: boolean, spareProtected: boolean): void
    _resetBufferLine(y: number, spareProtected: boolean): void
    readonly _curAttrData: Attributed
    readonly _parser: Parser
    /** Bytes of an incomplete character, followed by zeros. */
    readonly _utf8Decoder: { readonly interim: Uint8Array }
  }
}

/** The parameters of a CSI. */
interface Params {
  readonly params: Int32Array
  readonly length: number
}

interface UnicodeProvider {
  readonly version: string
  wcwidth(code: number): 0 | 1 | 2
  charProperties(code: number, preceding: number): number
}

export interface Emulator {
  readonly core: Core
  readonly parser: IParser
  resize(columns: number, rows: number): void
  dispose(): void
}

export function open(columns: number, rows: number, scrollback: number): Emulator {
  const terminal = new Terminal({
    cols: columns,
    rows,
    scrollback: scrollbackOf(columns, rows, scrollback),
    allowProposedApi: true,
    logLevel: 'off',
    disableStdin: true, // queries are not answered
    windowOptions: { pushTitle: true, popTitle: true }, // other window operations would answer or resize
  })
  const { _core: core } = terminal as unknown as { _core: Core }
  const known =
    core?._inputHandler?._utf8Decoder?.interim &&
    core._inputHandler._parser?._oscParser &&
    core._inputHandler._parser._dcsParser &&
    core._charsetService?._charsets &&
    core.buffers?.normal.lines.get(0)?.addCodepointToCell
  if (!known) throw new Error('This is not the @xterm/headless that src/screen/internals.ts was written for.')
  core.unicodeService.register(widths(core))
  core.unicodeService.activeVersion = 'coop'
  guard(core)
  return {
    core,
    parser: terminal.parser,
    resize: (x, y) => {
      const kept = scrollbackOf(x, y, scrollback)
      // Shrink first, so that it is not large in between.
      if (kept < (terminal.options.scrollback ?? 0)) terminal.options.scrollback = kept
      terminal.resize(x, y)
      terminal.options.scrollback = kept
    },
    dispose: () => terminal.dispose(),
  }
}

/** A cell to load others into. The library's null cell is one shared object that fills every new line. */
export function newCell({ buffers }: Core): Cell {
  const shared = buffers.normal.getNullCell()
  return Object.assign(Object.create(Object.getPrototypeOf(shared)), shared)
}

/** The parser's state between sequences, in which text is printed. */
export const GROUND = 0

/** Columns of a character, from the library's `precedingJoinState`. */
export const widthOf = (properties: number) => (properties >> 1) & 3

/** A character without columns joins the one before it, even with sequences in between, as in other terminals. */
function widths(core: Core): UnicodeProvider {
  const pack = (width: number, joins: boolean) => (width << 1) | (joins ? 1 : 0)
  const one = pack(1, false)
  return {
    version: 'coop',
    wcwidth: characterWidth,
    charProperties(code, preceding) {
      if (code < 0x7f) return one
      const width = characterWidth(code)
      if (width > 0) return pack(width, false)
      // At the left edge there is nothing to join; the library would make a cell of width zero.
      return core.buffers.active.x === 0 ? one : pack(widthOf(preceding), true)
    },
  }
}

let designations: Map<Charset, string> | undefined

/** The letter that designates a charset (`ESC ( 0`). The library keeps only the tables, shared by all terminals. */
export function designationOf(charset: Charset | undefined): string {
  if (charset === undefined) return 'B'
  designations ??= listDesignations()
  return designations.get(charset) ?? 'B'
}

function listDesignations(): Map<Charset, string> {
  const { core, dispose } = open(2, 1, 0)
  const found = new Map<Charset, string>()
  for (const letter of '0A4C5RQKYE6ZH7=') {
    core._inputHandler.parse(new TextEncoder().encode(`\x1b(${letter}`))
    const charset = core._charsetService._charsets[0]
    if (charset !== undefined && !found.has(charset)) found.set(charset, letter)
  }
  dispose()
  return found
}
