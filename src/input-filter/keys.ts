/**
 * Splits typed input into keys, even when a read splits them, in all encodings that programs can switch a terminal to.
 * Every byte of the input is part of exactly one key. Pure except for its state and the clock that it is given.
 */

/** The meaning of a key for a line that is typed; `ctrl-` and `alt-` stand before a character. */
export type Meaning =
  | 'text'
  | 'enter'
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  /** Text of a paste. */
  | 'pasted'
  /** It changes no text: a release, the mouse, a report of the terminal, the mark of a paste. */
  | 'nothing'
  /** What it does depends on the program. */
  | 'other'
  | `ctrl-${string}`
  | `alt-${string}`

export interface Key {
  readonly bytes: Buffer
  readonly means: Meaning
  /** What it types, if its bytes are something else. */
  readonly text?: string
  /** A key that was pressed before goes up. */
  readonly isRelease?: true
}

const ESC = 0x1b
const PASTE_START = '\x1b[200~'
const PASTE_END = Buffer.from('\x1b[201~')
/**
 * A paste without input for so long is over, even without its end mark: the mark was lost, and somebody types again. A
 * paste comes in one go.
 */
export const PASTE_PAUSE_MS = 1_000
const MAX_SEQUENCE = 64 // bytes; no key is as long: three codes, modifiers, an event, text
const MOUSE_BYTES = 3 // after CSI M (X10 mouse): button, column, row, each 32 or more

/** Modifier bits of kitty and xterm, which send them plus one. */
const SHIFT = 1
const ALT = 2
const CONTROL = 4
const LOCKS = 64 | 128 // caps, num
const RELEASE = '3'

/** ECMA-48, 5.4: parameters, intermediate bytes, and the byte that ends it. */
const CSI = /^\x1b\[([0-?]*)([ -/]*)([@-~])/
const UNFINISHED_CSI = /^\x1b\[[0-?]*[ -/]*$/

export class KeyReader {
  readonly #now: () => number
  #held: Buffer = Buffer.alloc(0)
  #pasting = false
  /** The time of the last input of a paste. */
  #pastedAt = 0

  /** `now` returns milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether bytes wait because they may be the start of a key. */
  get holding(): boolean {
    return this.#held.length > 0
  }

  push(bytes: Uint8Array): readonly Key[] {
    if (this.#pasting) {
      const now = this.#now()
      if (now - this.#pastedAt >= PASTE_PAUSE_MS) this.#pasting = false
      this.#pastedAt = now
    }
    const input = Buffer.concat([this.#held, bytes])
    this.#held = Buffer.alloc(0)
    return this.#split(input, false)
  }

  /** Gives up waiting for the rest of a key: it was a lone Escape. */
  flush(): readonly Key[] {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return this.#split(held, true)
  }

  #split(input: Buffer, isAll: boolean): readonly Key[] {
    const keys: Key[] = []
    for (let at = 0; at < input.length; ) {
      const key = this.#pasting ? this.#pasted(input, at, isAll) : this.#typed(input, at, isAll)
      if (!key) {
        this.#held = input.subarray(at)
        break
      }
      keys.push(key)
      at += key.bytes.length
    }
    return keys
  }

  #typed(input: Buffer, at: number, isAll: boolean): Key | undefined {
    const byte = input[at] ?? 0
    if (byte === ESC) return this.#escape(input.subarray(at), isAll)
    if (isControl(byte)) return { bytes: input.subarray(at, at + 1), means: controlOf(byte) }
    return { bytes: input.subarray(at, endOfText(input, at)), means: 'text' }
  }

  /** In a paste only its end is a key, and the control characters, which a program that knows no pastes gets as keys. */
  #pasted(input: Buffer, at: number, isAll: boolean): Key | undefined {
    const byte = input[at] ?? 0
    if (byte === ESC) {
      const rest = input.subarray(at, at + PASTE_END.length)
      if (rest.equals(PASTE_END)) {
        this.#pasting = false
        return { bytes: rest, means: 'nothing' }
      }
      if (!isAll && rest.equals(PASTE_END.subarray(0, rest.length))) return undefined
      return { bytes: input.subarray(at, at + 1), means: 'pasted' }
    }
    if (isControl(byte)) {
      const means = controlOf(byte)
      return { bytes: input.subarray(at, at + 1), means: means.startsWith('ctrl-') ? means : 'pasted' }
    }
    return { bytes: input.subarray(at, endOfText(input, at)), means: 'pasted' }
  }

  #escape(input: Buffer, isAll: boolean): Key | undefined {
    const next = input[1]
    const alone: Key = { bytes: input.subarray(0, 1), means: 'other' }
    if (next === undefined) return isAll ? alone : undefined
    if (next === 0x5b) return this.#csi(input, isAll)
    if (next === 0x4f) {
      const final = input[2]
      if (final === undefined) return isAll ? { bytes: input, means: 'other' } : undefined
      // SS3, as arrows in application mode are sent.
      return isControl(final) || final === ESC
        ? { bytes: input.subarray(0, 2), means: 'other' }
        : { bytes: input.subarray(0, 3), ...applicationKey(String.fromCharCode(final)) }
    }
    const means = next === ESC ? 'other' : meaningOf(next)
    // A program in the terminal's line mode gets control characters whatever stands before them.
    if (means === 'other' || means.startsWith('ctrl-')) return alone
    let length = 2
    while (next >= 0xc0 && isContinuation(input[length])) length++
    const bytes = input.subarray(0, length)
    return { bytes, means: means === 'enter' ? 'enter' : `alt-${means}` }
  }

  #csi(input: Buffer, isAll: boolean): Key | undefined {
    const text = input.toString('latin1', 0, MAX_SEQUENCE)
    const [whole, parameters = '', between = '', final = ''] = CSI.exec(text) ?? []
    if (whole === undefined) {
      const isOpen = UNFINISHED_CSI.test(text) && text.length < MAX_SEQUENCE
      if (isOpen && !isAll) return undefined
      // Broken off by something else, which is looked at by itself.
      const length = /^\x1b\[[ -?]*/.exec(text)?.[0].length ?? 2
      return { bytes: input.subarray(0, length), means: 'other' }
    }
    if (final === 'M' && parameters === '' && between === '') {
      const mouse = input.subarray(whole.length, whole.length + MOUSE_BYTES)
      const broken = mouse.findIndex((byte) => byte < 0x20)
      if (broken < 0 && mouse.length < MOUSE_BYTES && !isAll) return undefined
      const length = whole.length + (broken < 0 ? mouse.length : broken)
      return { bytes: input.subarray(0, length), means: 'nothing' }
    }
    const bytes = input.subarray(0, whole.length)
    if (whole === PASTE_START) {
      this.#pasting = true
      this.#pastedAt = this.#now()
      return { bytes, means: 'nothing' }
    }
    return { bytes, ...(between === '' ? csiKey(parameters, final) : { means: 'other' as const }) }
  }
}

const isControl = (byte: number): boolean => byte < 0x20 || byte === 0x7f

/** Whether a byte goes on with a character of UTF-8. */
export const isContinuation = (byte = 0): boolean => (byte & 0xc0) === 0x80

function endOfText(input: Buffer, from: number): number {
  let at = from + 1
  while (at < input.length && !isControl(input[at] ?? 0)) at++
  return at
}

function controlOf(byte: number): Meaning {
  if (byte === 0x0d || byte === 0x0a) return 'enter'
  if (byte === 0x09) return 'tab'
  if (byte === 0x7f || byte === 0x08) return 'backspace'
  if (byte === ESC) return 'other'
  return `ctrl-${String.fromCharCode(byte + 0x40).toLowerCase()}`
}

/** What a byte means after Escape, which is how terminals send Alt. */
function meaningOf(byte: number): string {
  return isControl(byte) ? controlOf(byte) : String.fromCharCode(byte).toLowerCase()
}

const ARROWS: Readonly<Record<string, Meaning>> = { C: 'right', D: 'left', H: 'home', F: 'end' }

function applicationKey(final: string): { means: Meaning; text?: string } {
  if (final === 'M') return { means: 'enter' } // of the keypad
  if (/[j-y]/.test(final)) return { means: 'text', text: String.fromCharCode(final.charCodeAt(0) - 0x40) }
  return { means: ARROWS[final] ?? 'other' }
}

/** Reports of the terminal, which nobody has typed: focus, cursor position, attributes, mode, size, mouse. */
const REPORTS = /^(?:[IOcRnytmM])$/

function csiKey(parameters: string, final: string): { means: Meaning; text?: string; isRelease?: true } {
  const [first = '', second = '', third = ''] = parameters.split(';')
  const [code = '', , base = ''] = first.split(':')
  const [modifiers = '', event = ''] = second.split(':')
  if (/^[<>?=]/.test(parameters)) return { means: 'nothing' } // SGR mouse, answers
  if (final === 'u') return coded(Number(code || 1), Number(base), modifiers, event)
  if (final === '~' && code === '27' && third) return coded(Number(third), 0, modifiers, '')
  if (event === RELEASE) return { means: 'nothing', isRelease: true }
  if (final === 'Z') return { means: 'nothing' } // Shift+Tab switches modes, and completes nothing
  if (final === '~') {
    const named = { 1: 'home', 3: 'delete', 4: 'end', 7: 'home', 8: 'end' } as const
    const means: Meaning = named[Number(code) as keyof typeof named] ?? 'other'
    return { means: means === 'delete' && isByWord(modifiers) ? 'alt-d' : means }
  }
  const arrow = ARROWS[final]
  if (arrow === 'left' && isByWord(modifiers)) return { means: 'alt-b' }
  if (arrow === 'right' && isByWord(modifiers)) return { means: 'alt-f' }
  if (arrow) return { means: arrow }
  return { means: REPORTS.test(final) ? 'nothing' : 'other' }
}

const bitsOf = (modifiers: string): number => Math.max(Number(modifiers || 1) - 1, 0) & ~LOCKS
const isByWord = (modifiers: string): boolean => (bitsOf(modifiers) & (ALT | CONTROL)) !== 0

/** Keys of kitty's private range that type something, or are known otherwise (keypad). */
const KEYPAD: Readonly<Record<number, Meaning>> = {
  57414: 'enter',
  57417: 'left',
  57418: 'right',
  57423: 'home',
  57424: 'end',
  57426: 'delete',
}
const PRIVATE = 57344
/** Characters that make a control character with Ctrl. */
const CONTROLS = /[@-_a-z]/

/** A key by its code: kitty's CSI u, xterm's modifyOtherKeys. On layouts without Latin letters `base` is the Latin key. */
function coded(
  code: number,
  base: number,
  modifiers: string,
  event: string,
): { means: Meaning; text?: string; isRelease?: true } {
  const bits = bitsOf(modifiers)
  const latin = code > 127 && base ? base : code
  const means = unmodified(latin)
  const isRelease = event === RELEASE ? ({ isRelease: true } as const) : {}
  if (bits === CONTROL && CONTROLS.test(String.fromCharCode(latin)))
    return { means: controlOf(latin & 0x1f), ...isRelease }
  if (event === RELEASE) return { means: 'nothing', ...isRelease }
  if (means === 'backspace' && isByWord(modifiers)) return { means: 'alt-backspace' }
  if (means === 'text') {
    if (!(bits & ~SHIFT)) return { means, text: code < PRIVATE ? String.fromCodePoint(code) : '0' }
    return { means: bits === ALT ? `alt-${String.fromCharCode(latin).toLowerCase()}` : 'other' }
  }
  return { means }
}

function unmodified(code: number): Meaning {
  if (code < 0x20 || code === 0x7f) {
    const means = controlOf(code)
    return means.startsWith('ctrl-') ? 'other' : means
  }
  if (code < PRIVATE) return 'text'
  if (code >= 57399 && code <= 57416) return KEYPAD[code] ?? 'text' // digits and signs of the keypad
  return KEYPAD[code] ?? (code >= 57441 && code <= 57454 ? 'nothing' : 'other') // modifiers alone
}
