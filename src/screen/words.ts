/** The last words of a screen, for people who do not look at it. Loads no emulator. Pure. */

const SEEN = 12 // rows with text above the last one that are looked at: choices stand below their question
const TOLD = 3 // rows that are told when none of them asks
/** Lines and blocks that frame dialogs. */
const FRAME = /[\u2500-\u259f]+/g
/** A question mark behind a word: "? for shortcuts" is none. */
const QUESTION = /[\p{L}\p{N})\]"'\u2019\u201d\u00bb`]\?/u
/** The line in which an agent waits for its next task (Claude Code, Codex, Gemini): its words stand above. */
const COMPOSER = /^[\u203a\u276f>](?:\s|$)/

/**
 * What the last rows of a screen say, in one line of at most `limit` characters: the last question and the choices
 * below it, or else the last rows above the line for the next task.
 */
export function lastWords(lines: readonly string[], limit: number): string {
  const said = lines.flatMap((line) => line.replace(FRAME, ' ').replace(/\s+/g, ' ').trim() || [])
  const seen = said.slice(-SEEN)
  const asks = seen.findLastIndex((line) => QUESTION.test(line))
  const composer = seen.findLastIndex((line) => COMPOSER.test(line))
  const told = asks >= 0 ? seen.slice(asks) : (composer > 0 ? seen.slice(0, composer) : said).slice(-TOLD)
  return [...told.join(' ')].slice(0, limit).join('')
}
