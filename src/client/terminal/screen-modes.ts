/** Which modes a program has switched on in the terminal it thinks it owns, so that they can be switched off. */

/** DEC private modes that disturb a shell, by number, and what undoes them. `25` is undone by setting it. */
const RESETS: Readonly<Record<string, string>> = {
  '1': '\x1b[?1l',
  '9': '\x1b[?9l',
  '47': '\x1b[?47l',
  '66': '\x1b>',
  '1000': '\x1b[?1000l',
  '1002': '\x1b[?1002l',
  '1003': '\x1b[?1003l',
  '1004': '\x1b[?1004l',
  '1005': '\x1b[?1005l',
  '1006': '\x1b[?1006l',
  '1015': '\x1b[?1015l',
  '1016': '\x1b[?1016l',
  '1047': '\x1b[?1047l',
  '1049': '\x1b[?1049l',
  '2004': '\x1b[?2004l',
  '2026': '\x1b[?2026l',
  '2031': '\x1b[?2031l',
  '2048': '\x1b[?2048l', // else the terminal types a report at every resize
}
const MAX_HELD = 64 // bytes; no sequence that sets a mode is longer

/** What else makes a terminal unreadable: margins, origin, wrap, reverse video, line drawing. */
const DISTURBS =
  /\x1b\[(?:[\d;]*[rs]|\?(?:[\d;]*;)?(?:5|6|7|69)(?:;[\d;]*)?[hl])|\x1b[()*+][^B]|[\x0e]|\x1b[no|}~]/
// DECSTR, and for terminals that do not know it (tmux) each by itself. Margins and origin put the cursor at the top, over
// what is to be read: it goes to the last line.
const SOFT_RESET = '\x1b[!p\x1b[?69l\x1b[r\x1b[?6l\x1b[?7h\x1b[?5l\x1b(B\x0f\x1b[999;1H'
/** Colours of the palette, of text, background and cursor; and what resets each. */
const PALETTE = /\x1b\](4|10|11|12);(?!\?)/g
const PALETTE_RESETS: Readonly<Record<string, string>> = {
  '4': '\x1b]104\x07',
  '10': '\x1b]110\x07',
  '11': '\x1b]111\x07',
  '12': '\x1b]112\x07',
}

const SEQUENCE = /\x1b\[\?([\d;]+)([hl])|\x1b\[([>=<])([\d;]*)u|\x1b\[>4(?:;(\d+))?m|\x1b([=>])|\x1b\[(\d) q/g

export class ScreenModes {
  readonly #on = new Set<string>()
  #cursorHidden = false
  #kitty = 0
  #otherKeys = false
  #keypad = false
  #cursorShape = false
  readonly #colors = new Set<string>()
  #disturbed = false
  #held = ''

  /** Look at output on its way to the terminal. */
  watch(bytes: Uint8Array): void {
    if (!this.#held && bytes.indexOf(0x1b) < 0 && bytes.indexOf(0x0e) < 0) return
    const text = this.#held + Buffer.from(bytes).toString('latin1')
    if (text.indexOf('\x1b') < 0 && text.indexOf('\x0e') < 0) return
    for (const match of text.matchAll(SEQUENCE)) this.#apply(match)
    for (const [, color] of text.matchAll(PALETTE)) if (color) this.#colors.add(color)
    this.#disturbed ||= DISTURBS.test(text)
    const start = text.lastIndexOf('\x1b')
    this.#held = start >= 0 && text.length - start < MAX_HELD ? text.slice(start) : ''
    // A sequence that is whole was seen; held again it would only be applied twice.
    if (new RegExp(SEQUENCE.source).test(this.#held)) this.#held = ''
  }

  #apply([, modes, set, kitty, kittyFlags, keys, keypad, shape]: RegExpMatchArray): void {
    for (const mode of modes?.split(';') ?? []) {
      if (mode === '25') this.#cursorHidden = set === 'l'
      else if (mode in RESETS) set === 'h' ? this.#on.add(mode) : this.#on.delete(mode)
    }
    if (kitty === '>') this.#kitty++
    else if (kitty === '<') this.#kitty = Math.max(0, this.#kitty - (Number(kittyFlags) || 1))
    else if (kitty === '=') this.#kitty = Math.max(1, this.#kitty)
    if (keys !== undefined) this.#otherKeys = keys !== '0'
    if (keypad) this.#keypad = keypad === '='
    if (shape !== undefined) this.#cursorShape = shape !== '0'
  }

  /** What to write so that the terminal is as it was: nothing for a program that set nothing. */
  restore(): string {
    const modes = [...this.#on].map((mode) => RESETS[mode] ?? '').join('')
    const colors = [...this.#colors].map((color) => PALETTE_RESETS[color] ?? '').join('')
    return (
      modes +
      colors +
      (this.#disturbed ? SOFT_RESET : '') +
      (this.#kitty ? `\x1b[<${this.#kitty}u` : '') +
      (this.#otherKeys ? '\x1b[>4;0m' : '') +
      (this.#keypad ? '\x1b>' : '') +
      (this.#cursorShape ? '\x1b[0 q' : '') +
      (this.#cursorHidden ? '\x1b[?25h' : '') +
      '\x1b[0m'
    )
  }
}
