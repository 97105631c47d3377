/**
 * What is typed after the detach key belongs to the program that reads the terminal next, usually a shell. It is best
 * left in the terminal's input; bytes that were read already are put back.
 */
import { PollSet } from '../../../ffi/poll.ts'
import {
  getModes,
  lineModes,
  mayPutBack,
  putBack,
  readLine,
  setModes,
  takeInput,
  waitingInput,
} from '../../../ffi/terminal.ts'

const LOOK_MS = 10 // between two looks at the terminal; nobody notices

/**
 * Waits until the terminal's next input is the key once more (`true`), or something else or nothing for so many
 * milliseconds (`false`). It takes nothing but the key out of the input: a terminal that collects lines, with the key as
 * the character that ends the input (termios(3), VEOF), tells the two apart unread. Returns the function that ends the wait.
 */
export function awaitKey(key: number, milliseconds: number, then: (isAgain: boolean) => void): () => void {
  const raw = getModes(0)
  if (raw) setModes(0, lineModes(raw, key))
  const input = new PollSet([0])
  const until = performance.now() + milliseconds
  const stop = (): void => {
    clearInterval(timer)
    if (raw) setModes(0, raw)
  }
  const timer = setInterval(() => {
    const isThere = input.waitFor(0)
    if (!isThere && performance.now() < until) return
    const isAgain = isThere && waitingInput(0) === 0
    if (isAgain) readLine(0)
    stop()
    then(isAgain)
  }, LOOK_MS)
  return stop
}

/** Keys that shells know. All other sequences are answers and reports of the terminal, which a box may have asked for. */
const KEYS = /^\x1b(?:\[[A-FHZ]|\[[1-8]~|\[200~|\[201~|O[A-FH]|[^[\]PX^_O])$/
const SEQUENCES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|O.|.)?/gs

/** Returns the keys among input, one character per byte. */
export const keysOf = (text: string): string =>
  text.replace(SEQUENCES, (sequence) => (KEYS.test(sequence) ? sequence : ''))

/** Takes an answer out of input, or its end if it began before that. */
export function without(text: string, answer: string): string {
  const at = text.indexOf(answer)
  if (at >= 0) return text.slice(0, at) + text.slice(at + answer.length)
  for (let length = answer.length - 1; length > 0; length--)
    if (text.startsWith(answer.slice(-length))) return text.slice(length)
  return text
}

const TRIES = 10 // somebody who types that fast may lose the order

/** What was typed while `ours` was put back, of input in which the two are mixed. */
export function typedBetween(ours: string, mixed: string): string {
  let at = 0
  let theirs = ''
  for (const byte of mixed)
    if (byte === ours[at]) at++
    else theirs += byte
  return theirs
}

/**
 * Puts keys back into the terminal's input, before those that were typed since. The kernel may not allow that
 * (dev.tty.legacy_tiocsti); then they are lost.
 */
export function giveBack(text: string): void {
  if (!keysOf(text) || !mayPutBack(0)) return
  const taken = (): string => Buffer.from(takeInput(0)).toString('latin1')
  let keys = keysOf(text + taken())
  for (let tries = TRIES; ; tries--) {
    for (const byte of Buffer.from(keys, 'latin1')) if (!putBack(0, byte)) return
    // The kernel puts a byte behind all others, so one that came meanwhile may stand in between.
    if (tries === 0 || waitingInput(0) <= keys.length) return
    keys += typedBetween(keys, taken())
  }
}
