/** The title of the user's terminal: coop's mark, the agents that wait for the user, then the program's own title. */
import { clearTitles } from './osc-traces.ts'

const TITLE = /\x1b\][02];([^\x07\x1b\x9c]*)(?:\x07|\x1b\\)/g
const MAX_SHOWN = 3 // names; more would push the program's title out of view

export class Title {
  #own = ''
  readonly #waiting = new Set<string>()
  readonly #mark: string
  #shown = false

  /** `mark`: what the user must not forget about this window, such as "read-only"; usually nothing. */
  constructor(mark = '') {
    this.#mark = mark
  }

  /** Returns the bytes to write first. */
  start(): string {
    return this.#mark ? this.#show() : ''
  }

  /** Watches output for a title that the program sets. Returns the bytes to write after it. */
  watch(bytes: Uint8Array): string {
    if (bytes.indexOf(0x1b) < 0) return ''
    let found = false
    for (const match of Buffer.from(bytes).toString('utf8').matchAll(TITLE)) {
      this.#own = match[1] ?? ''
      found = true
    }
    return found && (this.#mark || this.#waiting.size) ? this.#text() : ''
  }

  /** Records that an agent waits or no longer waits. Returns the bytes to write. */
  event(box: string, waiting: boolean): string {
    if (waiting) this.#waiting.add(box)
    else this.#waiting.delete(box)
    return this.#waiting.size || this.#shown ? this.#show() : ''
  }

  #show(): string {
    const push = this.#shown ? '' : '\x1b[22;2t' // makes the terminal save its title
    this.#shown = true
    return push + this.#text()
  }

  /** Returns the bytes that restore the terminal's title. */
  restore(): string {
    const text = this.#shown ? `${clearTitles([2])}\x1b[23;2t` : ''
    this.#shown = false
    return text
  }

  #text(): string {
    const names = [...this.#waiting]
    const some = names.slice(0, MAX_SHOWN).join(', ')
    const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : ''
    const verb = names.length === 1 ? 'waits' : 'wait'
    const notice = names.length ? `\u25cf ${some}${more} ${verb} for you` : ''
    const own = this.#own.replace(/[\x00-\x1f\x7f-\x9f]/g, '')
    return `\x1b]2;${[this.#mark, notice, own].filter(Boolean).join(' \u00b7 ')}\x07`
  }
}
