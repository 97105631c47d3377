/** Splits a command line into words, as a shell does before any expansion. */

import { CoopError } from '../core/errors.ts'

/**
 * Splits at blanks. Single quotes keep everything, double quotes keep all but `\"`, `\\`, `\$` and `` \` ``, and a
 * backslash keeps the next character. Nothing is expanded. Rules: POSIX.1-2024, XCU 2.2.
 * @throws CoopError E_AGENT for an open quote or a backslash at the end.
 */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let at = 0
  const unfinished = (what: string) =>
    new CoopError('E_AGENT', `the agent command ends inside ${what}: ${line}`, { hint: 'close the quotes' })
  while (at < line.length) {
    const char = line.charAt(at)
    at += 1
    if (char === ' ' || char === '\t' || char === '\n') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === "'") {
      const end = line.indexOf("'", at)
      if (end < 0) throw unfinished('single quotes')
      word = (word ?? '') + line.slice(at, end)
      at = end + 1
    } else if (char === '"') {
      word ??= ''
      while (line.charAt(at) !== '"') {
        if (at >= line.length) throw unfinished('double quotes')
        if (line.charAt(at) === '\\' && /^["\\$`]$/.test(line.charAt(at + 1))) at += 1
        word += line.charAt(at)
        at += 1
      }
      at += 1
    } else if (char === '\\') {
      if (at >= line.length) throw unfinished('an escape')
      word = (word ?? '') + line.charAt(at)
      at += 1
    } else {
      word = (word ?? '') + char
    }
  }
  if (word !== undefined) words.push(word)
  return words
}
