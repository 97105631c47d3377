/**
 * Tracks modes that a program leaves switched on in the terminal, and undoes them. It sees each sequence that the
 * filter passes (`Witness`): the filter's tables list the sequences with a lasting effect, and all of those are undone
 * here.
 */
import { LASTING, MODES, PRIVATE_MODES, type Setting } from '../../vt/csi-rules.ts'
import type { Witness } from '../../vt/filter.ts'
import { key, type Sequence } from '../../vt/sequence.ts'
import { OscTraces } from './osc-traces.ts'

/** DECSTR, which also resets the state of a saved cursor. Terminals that do not know it get each reset by itself. */
const SOFT_RESET = '\x1b[!p'
/** Resetting margins moves the cursor to the top, over text; saving it first keeps its place. */
const NO_MARGINS = '\x1b7\x1b[?69l\x1b[r\x1b8'
/**
 * Origin mode is part of a saved cursor, so on a terminal without DECSTR resetting it moves the cursor to the top all
 * the same; this puts it on the last line.
 */
const LAST_LINE = '\x1b[999;1H'
const SGR = key('m')
const TABS = 64 // stops every eight columns of 512; a narrower terminal stops at its last column
const TAB_STOPS = `\x1b7\r\x1b[3g${'\x1b[8C\x1bH'.repeat(TABS)}\x1b8`
const MAX_DEPTH = 16 // entries of a stack; no terminal keeps more
const ALTERNATE = ['?47', '?1047', '?1049']
/** State that moves the cursor or changes how text looks; restoring a saved cursor can bring some of it back. */
const DISTURBING = ['margins', '?5', '?6', '?7', 'shift', 'G0', 'G1', 'G2', 'G3']
const SLOTS = [
  ['(', 'G0', '\x1b(B'],
  [')', 'G1', '\x1b)B'],
  ['-', 'G1', '\x1b)B'],
  ['*', 'G2', '\x1b*B'],
  ['.', 'G2', '\x1b*B'],
  ['+', 'G3', '\x1b+B'],
  ['/', 'G3', '\x1b+B'],
] as const

/** Each of the two screens has a stack of keyboard modes. */
type Screen = 'main' | 'alternate'

export class ScreenModes implements Witness {
  /** The bytes that undo each effect in force, by the effect's name. */
  readonly #undo = new Map<string, string>()
  readonly #keyboard: Record<Screen, number> = { main: 0, alternate: 0 }
  readonly #stacks = new Map<string, number>()
  readonly #osc = new OscTraces()
  #prefix = ''
  #touched = false

  /** Whether the terminal has received any sequence. */
  get isTouched(): boolean {
    return this.#touched
  }

  /** Whether the terminal is in a state that a program must bring about again, once `restore` has undone it. */
  get isHeld(): boolean {
    return this.#keyboard.main > 0 || [...this.#undo.keys()].some((name) => name !== 'margins')
  }

  /**
   * Returns the bytes to write before the last seen sequences: they make the terminal save the state about to change.
   */
  before(): string {
    const prefix = this.#prefix
    this.#prefix = ''
    return prefix
  }

  sequence(sequence: Sequence): void {
    this.#touched = true
    if (sequence.kind === 'csi') {
      if (sequence.key !== SGR && LASTING.has(sequence.key)) this.#csi(sequence)
    } else if (sequence.kind === 'esc') this.#esc(sequence)
    else if (sequence.kind === 'osc') this.#prefix += this.#osc.see(sequence.text)
    else if (sequence.kind === 'dcs' && sequence.key === key('=s'))
      this.#note('synchronized', sequence.parameters === '1', '\x1bP=2s\x1b\\')
  }

  shift(code: number): void {
    this.#touched = true
    this.#note('shift', code === 0x0e, '\x0f')
  }

  #note(name: string, isInForce: boolean, undo: string): void {
    if (isInForce) this.#undo.set(name, undo)
    else this.#undo.delete(name)
  }

  #csi(sequence: Sequence): void {
    const { numbers, parameters } = sequence
    const [first = 0, second = 0] = numbers
    const final = String.fromCharCode(sequence.final)
    switch (sequence.key) {
      case key('h'):
      case key('l'):
        return this.#set('', numbers, MODES, final)
      case key('?h'):
      case key('?l'):
        return this.#set('?', numbers, PRIVATE_MODES, final)
      case key('r'):
      case key('s'):
        // Without parameters, `s` saves the cursor and `r` resets the margins.
        if (final === 'r' || parameters) this.#note('margins', parameters !== '', NO_MARGINS)
        return
      case key('g'):
      case key('?W'):
        return this.#note('tabs', true, TAB_STOPS)
      case key('>u'):
        return this.#key(1)
      case key('<u'):
        return this.#key(-(first || 1))
      case key('=u'):
        return this.#key(this.#keyboard[this.#screen] ? 0 : 1)
      case key(' q'):
        return this.#note('cursor shape', parameters !== '0', '\x1b[0 q')
      case key('"q'):
        return this.#note('protection', first === 1, '\x1b[0"q')
      case key('>m'):
        return this.#note('keys', parameters !== '' && second !== 0, '\x1b[>4;0m')
      case key('>n'):
        return this.#note('keys', true, '\x1b[>4;0m')
      case key('t'):
        return this.#stack('\x1b[23;0t', first === 22 ? 1 : first === 23 ? -1 : 0)
      case key('#{'):
      case key('#p'):
        return this.#stack('\x1b[#}', 1)
      case key('#}'):
      case key('#q'):
        return this.#stack('\x1b[#}', -1)
      case key('#P'):
        return this.#stack('\x1b[#Q', 1)
      case key('#Q'):
        return this.#stack('\x1b[#Q', -1)
    }
  }

  #set(prefix: string, numbers: readonly number[], known: ReadonlyMap<number, Setting>, final: string): void {
    for (const number of numbers) {
      const usual = known.get(number)
      if (usual) this.#note(`${prefix}${number}`, final !== usual, `\x1b[${prefix}${number}${usual}`)
    }
  }

  get #screen(): Screen {
    return ALTERNATE.some((mode) => this.#undo.has(mode)) ? 'alternate' : 'main'
  }

  #key(by: number): void {
    const screen = this.#screen
    this.#keyboard[screen] = Math.min(MAX_DEPTH, Math.max(0, this.#keyboard[screen] + by))
  }

  #stack(pop: string, by: number): void {
    this.#stacks.set(pop, Math.min(MAX_DEPTH, Math.max(0, (this.#stacks.get(pop) ?? 0) + by)))
  }

  #esc({ intermediates, final, key: id }: Sequence): void {
    const letter = String.fromCharCode(final)
    if (!intermediates) {
      if (letter === '=' || letter === '>') this.#note('keypad', letter === '=', '\x1b>')
      else if (letter === 'H') this.#note('tabs', true, TAB_STOPS)
      else if (letter === 'n' || letter === 'o') this.#note('shift', true, '\x0f')
      else if ('|}~'.includes(letter)) this.#note('right shift', letter !== '}', '\x1b}')
      return
    }
    if (['#3', '#4', '#6'].some((size) => id === key(size))) return this.#note('line', true, '\x1b#5')
    const slot = String.fromCharCode(intermediates > 0xff ? intermediates >> 8 : intermediates)
    const found = SLOTS.find(([mark]) => mark === slot)
    if (found)
      this.#note(found[1], letter !== 'B' || intermediates > 0xff || !'()*+'.includes(slot), found[2])
  }

  /** Returns the bytes that restore the terminal, and forgets all effects. */
  restore(): string {
    const undo = this.#undo
    if (undo.delete('?69')) undo.set('margins', NO_MARGINS)
    const disturbs = DISTURBING.some((name) => undo.has(name))
    const moves = undo.has('?6')
    const alternate = this.#screen === 'alternate' ? this.#popKeys('alternate') + this.#osc.popShapes() : ''
    const leave = ALTERNATE.map((mode) => undo.get(mode) ?? '').join('')
    for (const mode of ALTERNATE) undo.delete(mode)
    const stacks = [...this.#stacks].map(([pop, depth]) => pop.repeat(depth)).join('')
    const text =
      alternate +
      leave +
      this.#popKeys('main') +
      (disturbs ? SOFT_RESET : '') +
      [...undo.values()].join('') +
      (moves ? LAST_LINE : '') +
      stacks +
      this.#osc.restore() +
      '\x1b[0m'
    undo.clear()
    this.#stacks.clear()
    this.#keyboard.alternate = 0
    return text
  }

  #popKeys(screen: Screen): string {
    const depth = this.#keyboard[screen]
    this.#keyboard[screen] = 0
    return depth ? `\x1b[<${depth}u` : ''
  }
}
