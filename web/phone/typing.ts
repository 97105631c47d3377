/** What is typed while a modifier of the key bar is held. Keyboards of phones type by composing, which takes its time. */
import { type Modifiers, modified } from './keys.ts'
import { Sticky } from './sticky.ts'

export class Typing {
  readonly ctrl = new Sticky()
  readonly alt = new Sticky()
  /** Typed already while it was composed; the finished text begins with it. */
  #sent = ''

  get modifiers(): Modifiers {
    return { ctrl: this.ctrl.isHeld, alt: this.alt.isHeld }
  }

  /** Whether anything that is typed would be changed. */
  get isActive(): boolean {
    return this.ctrl.isHeld || this.alt.isHeld || this.#sent !== ''
  }

  /** A key was typed with the modifiers. */
  used(): void {
    this.ctrl.used()
    this.alt.used()
  }

  /** A paste is no key, and must not become one. */
  release(): void {
    this.ctrl.release()
    this.alt.release()
  }

  /** Changes what was typed as the modifiers want it. */
  typed(text: string): string {
    const sent = this.#sent
    this.#sent = ''
    if (sent && text.startsWith(sent)) return text.slice(sent.length)
    const changed = modified(text, this.modifiers)
    if (changed !== undefined) this.used()
    return changed ?? text
  }

  /**
   * A keyboard composes, and would give the text only at the end of the word. With a modifier the first character is a
   * key: returns what to type at once.
   */
  composing(text: string): string | undefined {
    if (this.#sent) return undefined
    const [first] = text
    const changed = first === undefined ? undefined : modified(first, this.modifiers)
    if (first === undefined || changed === undefined) return undefined
    this.#sent = first
    this.used()
    return changed
  }
}
