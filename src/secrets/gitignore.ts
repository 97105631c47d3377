/**
 * Patterns in the grammar of gitignore(5). A property test compares them with `git check-ignore`. Two differences: `?`
 * is a character here and a byte there, and a pattern that could never match is a mistake instead of nothing.
 */
import { fold } from './fold.ts'
import { BadGlob, compileGlob, type Glob, matchesGlob } from './glob.ts'

/** Any number of folders: a segment of only stars, at least two. */
const DEEP = 'deep'

export interface Pattern {
  /** As written, without trailing spaces. */
  readonly text: string
  /** With `!`: takes back what an earlier pattern says. */
  readonly negated: boolean
  readonly foldersOnly: boolean
  /** Compares the whole path below its folder, not only the last name. */
  readonly anchored: boolean
  /** Compares names without differences of case and Unicode form (fold.ts). */
  readonly folded: boolean
  readonly segments: readonly (Glob | typeof DEEP)[]
}

/** Trailing spaces do not count, unless a backslash stands before one. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length
  while (end > 0 && line[end - 1] === ' ') end--
  let escapes = 0
  while (end - escapes > 0 && line[end - escapes - 1] === '\\') escapes++
  return line.slice(0, escapes % 2 && end < line.length ? end + 1 : end)
}

/**
 * Compiles one line; undefined for a blank line or a comment. Raises BadGlob. `fold` says whether differences of case
 * count: those of a pattern that hides should not, those of one that shows should.
 */
export function compilePattern(line: string, foldsCase: (negated: boolean) => boolean): Pattern | undefined {
  const text = withoutTrailingSpaces(line)
  if (text === '' || text.startsWith('#')) return undefined
  const negated = text.startsWith('!')
  let rest = negated ? text.slice(1) : text
  const foldersOnly = rest.endsWith('/')
  if (foldersOnly) rest = rest.slice(0, -1)
  const anchored = rest.includes('/')
  if (rest.startsWith('/')) rest = rest.slice(1)
  if (rest === '') throw new BadGlob('names nothing')
  const folded = foldsCase(negated)
  if (folded) rest = rest.normalize('NFC') // letters with their marks become one, as in folded names
  const segments = rest
    .split('/')
    .map((segment) => (anchored && /^\*{2,}$/.test(segment) ? DEEP : compileGlob(segment, folded)))
  return { text, negated, foldersOnly, anchored, folded, segments }
}

/** A path as patterns look at it: its names below the folder of the patterns, also folded. */
export interface Names {
  readonly exact: readonly (readonly string[])[]
  readonly folded: readonly (readonly string[])[]
}

const letters = (name: string): readonly string[] => Array.from(name)

/** Splits a relative path for `matches`. */
export const namesOf = (parts: readonly string[]): Names => ({
  exact: parts.map(letters),
  folded: parts.map((part) => letters(fold(part))),
})

/** Whether a pattern matches a path below its folder. A folder in the path that matches is the caller's to see. */
export function matches(pattern: Pattern, names: Names, isFolder: boolean): boolean {
  if (pattern.foldersOnly && !isFolder) return false
  const parts = pattern.folded ? names.folded : names.exact
  const { segments } = pattern
  const [only] = segments
  const last = parts.at(-1)
  if (!pattern.anchored)
    return last !== undefined && only !== undefined && only !== DEEP && matchesGlob(only, last)
  // By segments from the end: `reached[i]` says whether the rest of the pattern matches the path from part i on.
  let reached = parts.map(() => false).concat(true)
  for (let at = segments.length - 1; at >= 0; at--) {
    const segment = segments[at] as Glob | typeof DEEP
    const isLast = at === segments.length - 1
    const next = reached
    reached = next.map(() => false)
    for (let part = parts.length; part >= 0; part--) {
      const here = parts[part]
      if (segment !== DEEP)
        reached[part] = here !== undefined && next[part + 1] === true && matchesGlob(segment, here)
      // At the end `**` stands for everything inside of the folder, but not for the folder.
      else if (isLast) reached[part] = here !== undefined
      else reached[part] = next[part] === true || reached[part + 1] === true
    }
  }
  return reached[0] === true
}
