/** Takes the answers that the user's terminal owes when its client leaves. */
import { writeAll } from '../../../ffi/pipes.ts'
import type { OwedAnswers } from './owed-answers.ts'
import { without } from './typed-ahead.ts'

const OWED_WAIT_MS = 1_000 // for a terminal behind a slow connection

/** Passes the answers to the program, which may be gone by now. Returns what else was typed, one character per byte. */
export async function takeOwed(owed: OwedAnswers, forward: (answer: Uint8Array) => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let held: string | undefined
  let typed = ''
  const answers: string[] = []
  const read = (bytes: Uint8Array): void => {
    typed += Buffer.from(bytes).toString('latin1')
    for (const answer of owed.input(bytes)) {
      answers.push(answer)
      // The last one is that to our own question.
      if (held !== undefined) forward(Buffer.from(held, 'latin1'))
      held = answer
    }
    if (!owed.some(performance.now())) resolve()
  }
  const timer = setTimeout(resolve, OWED_WAIT_MS)
  process.stdin.on('data', read)
  process.stdin.resume()
  if (writeAll(1, owed.last()) !== 0) resolve()
  await promise
  clearTimeout(timer)
  if (held !== undefined && owed.some(performance.now())) forward(Buffer.from(held, 'latin1'))
  process.stdin.off('data', read)
  return answers.reduce(without, typed)
}
