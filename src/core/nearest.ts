/** Suggestions for mistyped words: commands, flags and configuration keys. */

// Longer words are not typing mistakes, and the table below grows quadratically.
const MAX_WORD_LENGTH = 64

/**
 * The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
 * (optimal string alignment distance).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, at(beforeLast, j - 2) + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? 0

/**
 * The candidate that `word` was probably meant to be; undefined if none is close. The first of equally
 * close candidates wins. Ignores case.
 *
 * @example nearest('atach', ['attach', 'exec']) // 'attach'
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > MAX_WORD_LENGTH) return undefined
  let best: string | undefined
  // A third of the letters may be wrong; short words get one mistake.
  let limit = Math.max(1, Math.floor(word.length / 3))
  for (const candidate of candidates) {
    if (candidate.length > MAX_WORD_LENGTH) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    // A one-letter word is one mistake away from every other one, so that proves no resemblance.
    if (distance > limit || distance >= Math.max(word.length, candidate.length)) continue
    if (distance === limit && best !== undefined) continue
    best = candidate
    limit = distance
  }
  return best
}
