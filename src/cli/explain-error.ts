/** `coop help E_CODE`: prints the section of an error code, as docs/errors.md has it. */
import { ERROR_DOCS } from '../core/error-docs.ts'
import { CoopError, type ErrorCode, EXIT } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'

/** Returns the text for a terminal. Raises E_USAGE for a code that does not exist. */
export function explainError(word: string): string {
  const codes = Object.keys(EXIT) as ErrorCode[]
  const code = codes.find((one) => one === word.toUpperCase())
  if (!code) {
    const near = nearest(word.toUpperCase(), codes)
    throw new CoopError('E_USAGE', `there is no error code ${word}`, {
      hint: near ? `did you mean coop help ${near}?` : `codes are ${codes.toSorted().join(', ')}`,
    })
  }
  const { means, fix } = ERROR_DOCS[code]
  const plain = (text: string): string => text.replaceAll('`', '')
  return `${code}: ${plain(means)}\n\nWhat to do: ${plain(fix)}\n\nExit code: ${EXIT[code]}\n`
}
