/** For tests: makes values of a pattern, so that no value that looks real stands in the repository. */

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const pick = <T>(random: () => number, of: readonly T[]): T => of[Math.floor(random() * of.length)] as T

export const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
export const CAPITALS = LETTERS.toUpperCase()
export const DIGITS = '0123456789'

/** So many characters of an alphabet. */
export const letters = (
  random: () => number,
  count: number,
  alphabet = LETTERS + CAPITALS + DIGITS,
): string => Array.from({ length: count }, () => pick(random, [...alphabet])).join('')

/** Makes a text that a pattern matches. Knows what the tables of kinds use: classes, groups, alternatives, counts, escapes. */
export function sample(pattern: string, random: () => number): string {
  let at = 0
  const alternatives = (): string => {
    const choices: string[] = [sequence()]
    while (pattern[at] === '|') {
      at++
      choices.push(sequence())
    }
    return pick(random, choices)
  }
  const sequence = (): string => {
    let text = ''
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') text += repeated()
    return text
  }
  const repeated = (): string => {
    const from = at
    atom()
    const to = at
    let least = 1
    let most = 1
    const count = /^\{(\d+)(?:(,)(\d*))?\}/.exec(pattern.slice(at))
    if (count) {
      at += count[0].length
      least = Number(count[1])
      most = count[2] ? Number(count[3] || least + 8) : least
    } else if (pattern[at] === '?') [at, least] = [at + 1, 0]
    else if (pattern[at] === '+') [at, most] = [at + 1, 4]
    const end = at
    let text = ''
    const times = least + Math.floor(random() * (most - least + 1))
    for (let n = 0; n < times; n++) {
      at = from
      text += atom()
      if (at !== to) throw new Error(`the pattern ${pattern} cannot be sampled`)
    }
    at = end
    return text
  }
  const atom = (): string => {
    const sign = pattern[at++] ?? ''
    if (sign === '\\') return pattern[at++] ?? ''
    if (sign === '[') return pick(random, classAt())
    if (sign !== '(') return sign
    if (pattern.startsWith('?:', at)) at += 2
    const text = alternatives()
    at++
    return text
  }
  const classAt = (): string[] => {
    const all: string[] = []
    for (; pattern[at] !== ']'; at++) {
      if (pattern[at + 1] === '-' && pattern[at + 2] !== ']') {
        for (let code = pattern.charCodeAt(at); code <= pattern.charCodeAt(at + 2); code++)
          all.push(String.fromCharCode(code))
        at += 2
      } else all.push(pattern[at] ?? '')
    }
    at++
    return all
  }
  return alternatives()
}
