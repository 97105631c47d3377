/**
 * Finds the detach key in typed input, even when a read splits it, in all encodings that programs can switch a terminal
 * to. One press detaches; two presses send the key to the program once. In pasted text it is plain text. Pure except
 * for its state and the clock that it is given.
 */

const ESC = 0x1b

/**
 * How long to wait for the second press. A double press takes 100 to 180 ms, a person notices a pause from about 250 ms
 * on, and the repetition of a held key starts at 225 ms at the earliest (macOS's shortest).
 */
export const SECOND_PRESS_MS = 200

/** Modifier bits of kitty and xterm, which send them plus one. The lock bits are ignored. */
const CONTROL = 4
const LOCKS = 64 | 128 // caps, num

/** Returns a key such as `ctrl-]` as terminals send it: plain, kitty's CSI u, xterm's modifyOtherKeys. */
export function keySequences(key: string): Buffer[] {
  const { plain, byte } = codes(key)
  return [
    Buffer.from([byte]),
    Buffer.from(`\x1b[${plain};5u`),
    Buffer.from(`\x1b[${plain};5:1u`),
    Buffer.from(`\x1b[27;5;${plain}~`),
  ]
}

function codes(key: string): { plain: number; byte: number } {
  const letter = /^ctrl-(.)$/.exec(key)?.[1] ?? ']'
  return { plain: letter.toLowerCase().charCodeAt(0), byte: letter.toUpperCase().charCodeAt(0) & 0x1f }
}

const PASTE_START = Buffer.from('\x1b[200~')
const PASTE_END = Buffer.from('\x1b[201~')
/**
 * A paste without input for so long is over, even without its end mark. Terminals send a paste in one go, so a longer
 * pause means that the mark was lost (a broken connection, a mark split by a slow link) and the user is typing again.
 */
export const PASTE_PAUSE_MS = 1_000
const MAX_KEY = 48 // bytes of the longest encoding: three codes, modifiers, an event, text

/** CSI code:shifted:base ; modifiers:event ; text u */
const KITTY = /^\x1b\[(\d+)(?::(\d*))?(?::(\d*))?(?:;(\d*)(?::(\d*))?(?:;[\d:]*)?)?u/
/** CSI 27 ; modifiers ; code ~ */
const OTHER_KEYS = /^\x1b\[27;(\d+);(\d+)~/
const UNFINISHED = /^\x1b(?:\[[\d:;]*)?$/

const NOTHING = new Uint8Array()

export interface Typed {
  /** The bytes for the program. */
  readonly forward: Uint8Array
  readonly detach: boolean
  /** With `detach`, the bytes after the key, which are not for the program. */
  readonly rest: Uint8Array
}

/** The start of the bytes: the key pressed, the same key repeated or released, or undefined for other input. */
type Event = { readonly what: 'press' | 'other event'; readonly length: number } | 'unfinished' | undefined

export class DetachKey {
  readonly #plain: number
  readonly #byte: number
  #isByte = false
  #held: Buffer = Buffer.alloc(0)
  #pasting = false
  /** The time of the last input of a paste. */
  #pastedAt = 0
  #waiting = false
  readonly #now: () => number

  /** `now` returns milliseconds. */
  constructor(key: string, now: () => number = () => performance.now()) {
    this.#now = now
    const { plain, byte } = codes(key)
    this.#plain = plain
    this.#byte = byte
  }

  /** Whether bytes are held back because they may be the start of the key. */
  get holding(): boolean {
    return this.#held.length > 0
  }

  /** Whether the key was pressed and may be pressed again: call `expire` after SECOND_PRESS_MS without input. */
  get waiting(): boolean {
    return this.#waiting
  }

  /** The key as one byte, and whether the last press came as that. */
  get byte(): number {
    return this.#byte
  }
  get isByte(): boolean {
    return this.#isByte
  }

  /** Ends the wait for a second press. Returns whether to detach; then `flush` returns what was typed since. */
  expire(): boolean {
    const detach = this.#waiting
    this.#waiting = false
    return detach
  }

  /** Gives up waiting for the rest of a sequence: the user pressed a lone Escape. */
  flush(): Buffer {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return held
  }

  push(bytes: Uint8Array): Typed {
    // Nearly all input takes this path: a search costs less than parsing.
    const isOpen = this.#held.length > 0 || this.#pasting || this.#waiting
    if (!isOpen && bytes.indexOf(ESC) < 0 && bytes.indexOf(this.#byte) < 0)
      return { forward: bytes, detach: false, rest: NOTHING }
    if (this.#pasting) {
      const now = this.#now()
      if (now - this.#pastedAt >= PASTE_PAUSE_MS) this.#pasting = false
      else if (!this.#isPress(bytes)) this.#pastedAt = now
    }
    const input = Buffer.concat([this.#held, bytes])
    this.#held = Buffer.alloc(0)
    const kept: Buffer[] = []
    let from = 0
    const typed = (to: number, detach = false): Typed => {
      kept.push(input.subarray(from, to))
      const forward = kept.length === 1 ? input.subarray(from, to) : Buffer.concat(kept)
      return { forward, detach, rest: detach ? input.subarray(to) : NOTHING }
    }
    for (let at = 0; at < input.length; at++) {
      if (this.#pasting) {
        const end = input.indexOf(PASTE_END, at)
        if (end < 0) {
          // The end mark may be split; bytes before it are passed on at once.
          const keep = tailThatStarts(input.subarray(at), PASTE_END)
          this.#held = input.subarray(input.length - keep)
          return typed(input.length - keep)
        }
        this.#pasting = false
        at = end + PASTE_END.length - 1
        continue
      }
      const byte = input[at]
      const event = byte === ESC || byte === this.#byte ? this.#event(input.subarray(at)) : undefined
      if (event === 'unfinished') {
        this.#held = input.subarray(at)
        return typed(at)
      }
      const again = this.#waiting
      if (event?.what === 'press') {
        this.#waiting = !again
        this.#isByte = event.length === 1
        if (!again) {
          kept.push(input.subarray(from, at))
          from = at + event.length
        }
        at += event.length - 1
      } else if (again) {
        // A release or repetition of the key is neither a second press nor another key.
        if (!event) return typed(from, true)
        from = at + event.length
        at = from - 1
      } else if (event) at += event.length - 1
      else if (byte === ESC && startsWith(input.subarray(at), PASTE_START)) {
        this.#pasting = true
        this.#pastedAt = this.#now()
        at += PASTE_START.length - 1
      }
    }
    return typed(input.length)
  }

  /** Whether a read is the key alone: pressing it again and again must not make a paste last longer. */
  #isPress(bytes: Uint8Array): boolean {
    const event = this.#event(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    return typeof event === 'object' && event.what === 'press' && event.length === bytes.length
  }

  #event(bytes: Buffer): Event {
    if (bytes[0] === this.#byte) return { what: 'press', length: 1 }
    const text = bytes.toString('latin1', 0, MAX_KEY)
    if (UNFINISHED.test(text)) return text.length < MAX_KEY ? 'unfinished' : undefined
    const kitty = KITTY.exec(text)
    if (kitty) {
      const [all, code, , base, modifiers, event] = kitty
      if (!this.#means(Number(code), Number(base)) || !onlyControl(modifiers)) return undefined
      return { what: !event || event === '1' ? 'press' : 'other event', length: all.length }
    }
    const [all, modifiers, code] = OTHER_KEYS.exec(text) ?? []
    if (all === undefined || !this.#means(lower(Number(code))) || !onlyControl(modifiers)) return undefined
    return { what: 'press', length: all.length }
  }

  /**
   * On layouts without Latin letters, compares the key's place on a Latin keyboard, as other programs' shortcuts do.
   */
  #means(code: number, base = 0): boolean {
    return code === this.#plain || (code > 127 && base === this.#plain)
  }
}

const onlyControl = (modifiers = ''): boolean => ((Number(modifiers) - 1) & ~LOCKS) === CONTROL

/** xterm sends the capital while caps lock is on. */
const lower = (code: number): number => (code >= 0x41 && code <= 0x5a ? code + 0x20 : code)

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.subarray(0, start.length).equals(start)
}

/** Returns the length of the longest end of `bytes` that `mark` starts with. */
function tailThatStarts(bytes: Buffer, mark: Buffer): number {
  for (let length = Math.min(bytes.length, mark.length - 1); length > 0; length--) {
    if (startsWith(mark, bytes.subarray(bytes.length - length))) return length
  }
  return 0
}
