/**
 * One segment of a pattern (a part without a slash) as gitignore(5) reads it: `*`, `?`, `[…]`, backslash.
 *
 * Matching takes at most pattern times name steps, whatever the pattern: a box may have written it, and a regular
 * expression for `*a*a*a*a*b` takes ages.
 */
import { fold } from './fold.ts'

type Token =
  | { readonly is: 'star' }
  | { readonly is: 'any' }
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'set'; readonly test: (character: string) => boolean }

/** What is wrong with a segment, in words that continue "the pattern". */
export class BadGlob extends Error {}

export type Glob = readonly Token[]

// POSIX classes are ASCII here, as in git.
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\0-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t-\r ]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
}

/** Compiles one segment. `folded`: it is compared with folded names. Raises BadGlob for one that could never match. */
export function compileGlob(segment: string, folded: boolean): Glob {
  const characters = Array.from(segment)
  const tokens: Token[] = []
  for (let at = 0; at < characters.length; ) {
    const character = characters[at] as string
    if (character === '*') {
      if (tokens.at(-1)?.is !== 'star') tokens.push({ is: 'star' })
      at++
    } else if (character === '?') {
      tokens.push({ is: 'any' })
      at++
    } else if (character === '[') {
      const { test, end } = readSet(characters, at, folded)
      tokens.push({ is: 'set', test })
      at = end
    } else {
      const text = character === '\\' ? characters[++at] : character
      if (text === undefined) throw new BadGlob('ends with a backslash')
      for (const one of folded ? fold(text) : text) tokens.push({ is: 'text', text: one })
      at++
    }
  }
  return tokens
}

function readSet(
  characters: readonly string[],
  from: number,
  folded: boolean,
): { readonly test: (character: string) => boolean; readonly end: number } {
  const unclosed = (): BadGlob => new BadGlob('has "[" without "]"')
  const next = (at: number): string => {
    const character = characters[at]
    if (character === undefined) throw unclosed()
    return character
  }
  let at = from + 1
  const negated = next(at) === '!' || next(at) === '^'
  if (negated) at++
  const tests: ((character: string) => boolean)[] = []
  let previous: string | undefined
  for (let isFirst = true; isFirst || next(at) !== ']'; isFirst = false) {
    let character = next(at)
    if (character === '[' && next(at + 1) === ':') {
      const end = characters.indexOf(']', at + 2)
      if (end < 0) throw unclosed()
      if (end > at + 2 && characters[end - 1] === ':') {
        const name = characters.slice(at + 2, end - 1).join('')
        const known = CLASSES[name]
        if (!known) throw new BadGlob(`has the unknown class [:${name}:]`)
        tests.push((one) => known.test(one))
        previous = undefined
        at = end + 1
        continue
      }
      // No class after all: "[" is one of the characters.
    }
    if (character === '-' && previous !== undefined && next(at + 1) !== ']') {
      let last = next(++at)
      if (last === '\\') last = next(++at)
      const [low, high] = [codeOf(previous), codeOf(last)]
      tests.push((one) => codeOf(one) >= low && codeOf(one) <= high)
      previous = undefined
      at++
      continue
    }
    if (character === '\\') character = next(++at)
    const only = character
    tests.push((one) => one === only)
    previous = only
    at++
  }
  const has = (one: string): boolean => tests.some((test) => test(one))
  // A folded name has lost its capitals, which the set may name.
  const either = (one: string): boolean => has(one) || has(one.toUpperCase())
  return { test: (one) => (folded ? either(one) : has(one)) !== negated, end: at + 1 }
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0

/** Whether a name matches; `characters` are those of the name, which has no slash. */
export function matchesGlob(glob: Glob, characters: readonly string[]): boolean {
  let [token, at] = [0, 0]
  let star = -1 // the last star, and where its text ends at the moment
  let starEnd = 0
  while (at < characters.length) {
    const now = glob[token]
    if (now?.is === 'star') {
      star = token++
      starEnd = at
    } else if (now && fits(now, characters[at] as string)) {
      token++
      at++
    } else if (star >= 0) {
      token = star + 1
      at = ++starEnd
    } else return false
  }
  while (glob[token]?.is === 'star') token++
  return token === glob.length
}

function fits(token: Token, character: string): boolean {
  if (token.is === 'text') return token.text === character
  return token.is === 'any' || (token.is === 'set' && token.test(character))
}
