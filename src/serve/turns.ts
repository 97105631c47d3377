/**
 * Calls of browsers take turns: one page can ask for a thousand things in one message, and the daemon does the first part of each at
 * once. Terminals, other browsers and commands get theirs in between.
 */

const MAX_RUNNING = 16 // calls of one browser at a time
const MAX_WAITING = 256 // of one browser; pages wait for their answers and have far fewer

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

export class Turns {
  readonly #lines = new Map<string, Line>()

  /** Undefined if a call may go on at once; false if too many wait. Each one that goes on ends with `leave`. */
  enter(browser: string): Promise<void> | false | undefined {
    const line = this.#lines.get(browser) ?? { running: 0, waiting: [] }
    this.#lines.set(browser, line)
    if (line.running < MAX_RUNNING) {
      line.running++
      return undefined
    }
    if (line.waiting.length >= MAX_WAITING) return false
    return new Promise((resolve) => void line.waiting.push(resolve))
  }

  leave(browser: string): void {
    const line = this.#lines.get(browser)
    if (!line) return
    const next = line.waiting.shift()
    // Not at once: whatever else has happened meanwhile comes first.
    if (next) setImmediate(next)
    else if (--line.running === 0) this.#lines.delete(browser)
  }
}
