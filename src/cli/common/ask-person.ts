/** Asks a person before an important or long action. */
import { readSync } from 'node:fs'
import { CoopError } from '../../core/errors.ts'
import { isTerminal, printError } from './output.ts'

const MAX_ANSWER = 64 // bytes

/**
 * Asks before something is removed for good. Raises E_USAGE without a terminal, E_FAILED when the answer is not yes.
 */
export function confirm(question: string): void {
  if (!isTerminal(0) || !isTerminal(2))
    throw new CoopError(
      'E_USAGE',
      'refusing to remove anything without confirmation: there is no terminal to ask on',
      {
        hint: 'use --force',
      },
    )
  if (!isYes(question)) throw new CoopError('E_FAILED', 'nothing was removed')
}

/** Asks on the terminal. Any answer except a yes means no. */
export function isYes(question: string): boolean {
  printError(`${question} [y/N] `)
  const answer = Buffer.alloc(MAX_ANSWER)
  const size = readSync(0, answer)
  return /^y(?:es)?\s*$/i.test(answer.toString('utf8', 0, size))
}
