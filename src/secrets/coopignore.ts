/** Reads a `.coopignore`: patterns in the grammar of gitignore(5), and the mistakes that stop a start. Pure. */
import { compilePattern, type Pattern } from './gitignore.ts'
import { BadGlob } from './glob.ts'

export const COOPIGNORE = '.coopignore'
export const MAX_COOPIGNORE = 256 * 1024 // bytes
const MAX_PATTERNS = 5000 // each is compared with every name below

/** A line of a `.coopignore`, or an item of `[secrets]`. */
export interface Line extends Pattern {
  readonly line: number
}

export interface Mistake {
  readonly line: number
  /** Continues "the pattern". */
  readonly problem: string
}

export interface CoopIgnore {
  readonly lines: readonly Line[]
  readonly mistakes: readonly Mistake[]
}

/** Hiding ignores case, showing does not: a slip then hides too much. */
const foldsCase = (negated: boolean): boolean => !negated

// In git, too, this is part of the pattern, which then matches nothing.
const INLINE_COMMENT = /(?<!\\)\s#/

/** Compiles one pattern of `[secrets]`. `shows`: it is one of `show`. Raises BadGlob. */
export function configuredPattern(text: string, shows: boolean): Pattern {
  if (text.startsWith('!')) throw new BadGlob('begins with "!"')
  if (text.startsWith('#')) throw new BadGlob('is a comment')
  const pattern = compilePattern(text, () => !shows)
  if (!pattern) throw new BadGlob('names nothing')
  return pattern
}

/** Whether an item of `[secrets]` is a pattern. */
export function isConfiguredPattern(text: string, shows: boolean): boolean {
  try {
    return configuredPattern(text, shows) !== undefined
  } catch (error) {
    if (error instanceof BadGlob) return false
    throw error
  }
}

export function parseCoopIgnore(text: string): CoopIgnore {
  const lines: Line[] = []
  const mistakes: Mistake[] = []
  const texts = text.replace(/^\ufeff/, '').split('\n')
  for (const [index, raw] of texts.entries()) {
    const line = index + 1
    const written = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    try {
      const pattern = checked(written)
      if (pattern) lines.push({ ...pattern, line })
      if (lines.length > MAX_PATTERNS) {
        mistakes.push({ line, problem: `is one of more than ${MAX_PATTERNS}` })
        break
      }
    } catch (error) {
      if (!(error instanceof BadGlob)) throw error
      mistakes.push({ line, problem: error.message })
    }
  }
  return { lines, mistakes }
}

function checked(written: string): Pattern | undefined {
  const pattern = compilePattern(written, foldsCase)
  if (!pattern) return undefined
  if (written.includes('\0')) throw new BadGlob('has a NUL byte')
  if (INLINE_COMMENT.test(written)) throw new BadGlob('is followed by a comment, which would be part of it')
  return pattern
}
