/**
 * Tells a user who only watches that keys go nowhere: always in the window's title, and for a moment on the last line,
 * at the beginning and when a key is pressed.
 */
import { keyName } from '../../core/key-name.ts'
import type { AttachOptions } from './attach-options.ts'

const SHOWN_MS = 2_000 // long enough to read it; then the program has its last line again

export interface MarkUser {
  readonly columns: number
  put(bytes: Uint8Array): void
  /** Draws the program's whole screen again. */
  repaint(): void
}

export class ReadonlyMark {
  readonly title: string
  readonly #text: string
  readonly #user: MarkUser
  #timer: Timer | undefined

  constructor({ name = '', detachKey }: Pick<AttachOptions, 'name' | 'detachKey'>, user: MarkUser) {
    this.title = name ? `read-only: ${name}` : 'read-only'
    const leave = detachKey === undefined ? '' : ` \u00b7 ${keyName(detachKey)} leaves`
    this.#text = ` ${this.title} \u00b7 your keys go nowhere${leave} `
    this.#user = user
  }

  show(): void {
    clearTimeout(this.#timer)
    const text = this.#text.slice(0, this.#user.columns)
    // DECSC keeps cursor, colours, character set and origin mode. It overwrites the program's own saved cursor, which
    // the repaint brings back.
    this.#user.put(Buffer.from(`\x1b7\x1b[?6l\x1b(B\x0f\x1b[999;1H\x1b[0;7m${text}\x1b[K\x1b8`))
    this.#timer = setTimeout(() => this.#user.repaint(), SHOWN_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
