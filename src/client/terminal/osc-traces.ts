/** Tracks the lasting effects of a program's operating system commands (OSC) on the terminal, and undoes them. */

const ST = '\x1b\\'
const PUSH_TITLE = '\x1b[22;0t'
const POP_TITLE = '\x1b[23;0t'
const MANY_COLORS = 16 // entries of the palette; more are reset all at once
const MAX_DEPTH = 16 // entries of kitty's stack of pointer shapes
const FIRST_DYNAMIC = 10
const LAST_DYNAMIC = 19

/** Terminals that keep no titles (Windows Terminal, GNU screen) take an empty one as a wish for their own. */
export const clearTitles = (numbers: Iterable<number>): string =>
  [...numbers].map((number) => `\x1b]${number};\x07`).join('')

export class OscTraces {
  readonly #palette = new Set<number>()
  /** Colours of text, background, cursor, selection: OSC 10 to 19. */
  readonly #dynamic = new Set<number>()
  /** The titles that were set: 0 both, 1 the icon's, 2 the window's. */
  readonly #titled = new Set<number>()
  #linked = false
  #progress = false
  /** The families of prompt marks that were used. */
  readonly #marks = new Set<string>()
  #pointer = false
  #pointers = 0

  /** Records a command that the terminal gets. Returns the bytes to write before it. */
  see(text: string): string {
    const end = text.indexOf(';')
    const number = Number(end < 0 ? text : text.slice(0, end))
    const rest = end < 0 ? '' : text.slice(end + 1)
    if (number <= 2) return this.#title(number)
    if (number === 4) this.#colors(rest)
    else if (number === 104) this.#resetColors(rest)
    else if (number >= FIRST_DYNAMIC && number <= LAST_DYNAMIC)
      // Each further value applies to the next number (xterm's ctlseqs).
      rest.split(';').forEach((value, index) => {
        if (value && value !== '?' && number + index <= LAST_DYNAMIC) this.#dynamic.add(number + index)
      })
    else if (number >= 110 && number <= 119) this.#dynamic.delete(number - 100)
    else if (number === 8) this.#linked = !/^[^;]*;$/.test(rest)
    else if (number === 9) this.#progress = /^4;[1-4]/.test(rest) || (this.#progress && !rest.startsWith('4'))
    else if (number === 133 || number === 633) {
      if (rest.startsWith('C')) this.#marks.delete(`${number}`)
      else this.#marks.add(`${number}`)
    } else if (number === 22) this.#shape(rest)
    return ''
  }

  /** Makes the terminal save its title before the first change. */
  #title(number: number): string {
    const push = this.#titled.size ? '' : PUSH_TITLE
    this.#titled.add(number)
    return push
  }

  #colors(rest: string): void {
    const parts = rest.split(';')
    for (let at = 0; at + 1 < parts.length; at += 2)
      if (parts[at + 1] !== '?') this.#palette.add(Number(parts[at]))
  }

  #resetColors(rest: string): void {
    if (!rest) this.#palette.clear()
    for (const color of rest.split(';')) this.#palette.delete(Number(color))
  }

  /** kitty: `>` puts shapes on a stack, `<` takes one off, `?` asks. */
  #shape(rest: string): void {
    const [, how, names = ''] = /^([<>=?]?)(.*)$/.exec(rest) ?? []
    if (how === '?') return
    if (how === '>') this.#pointers = Math.min(MAX_DEPTH, this.#pointers + names.split(',').length)
    else if (how === '<') this.#pointers = Math.max(0, this.#pointers - 1)
    else this.#pointer = names !== ''
  }

  /**
   * Returns the bytes that pop the pointer shapes. Write them before leaving the alternate screen, which has its own
   * stack.
   */
  popShapes(): string {
    const text = `\x1b]22;<${ST}`.repeat(this.#pointers)
    this.#pointers = 0
    return text
  }

  /** Returns the bytes that undo everything, and forgets it. */
  restore(): string {
    const colors = [...this.#palette].join(';')
    const text =
      (this.#palette.size ? `\x1b]104${this.#palette.size > MANY_COLORS ? '' : `;${colors}`}\x07` : '') +
      [...this.#dynamic].map((number) => `\x1b]${100 + number}\x07`).join('') +
      (this.#linked ? `\x1b]8;;${ST}` : '') +
      (this.#progress ? `\x1b]9;4;0${ST}` : '') +
      [...this.#marks].map((family) => `\x1b]${family};C${ST}`).join('') +
      this.popShapes() +
      (this.#pointer ? `\x1b]22;${ST}` : '') +
      (this.#titled.size ? clearTitles(this.#titled) + POP_TITLE : '')
    this.#palette.clear()
    this.#dynamic.clear()
    this.#marks.clear()
    this.#titled.clear()
    this.#linked = this.#progress = this.#pointer = false
    return text
  }
}
