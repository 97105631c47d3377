/** `coop help E_CODE`: prints the section of an error code, as docs/errors.md has it. */
import { ERROR_DOCS } from '../core/error-docs.ts'
import { CoopError, type ErrorCode, EXIT } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { filled, readingWidth } from './common/output.ts'

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
  const columns = readingWidth()
  const paragraphs = [`${code}: ${plain(means)}`, `What to do: ${plain(fix)}`, `Exit code: ${EXIT[code]}`]
  return `${paragraphs.map((text) => filled(text, columns).join('\n')).join('\n\n')}\n`
}
