import { expect, test } from 'bun:test'
import { makeCorpus } from './corpus.ts'
import { scanBytes } from './scanner.ts'

const MIN_PRECISION = 0.9
const MIN_RECALL = 0.8

interface Score {
  found: number
  missed: number
}

function measure(seed: number): { precision: number; recall: number; lines: string[] } {
  const scores = new Map<string, Score>()
  let wrong = 0
  const lines: string[] = []
  for (const { path, text, secrets } of makeCorpus(seed)) {
    const hits = new Set(scanBytes(path, Buffer.from(text)).findings.map(({ line }) => line))
    for (const [line, category] of secrets) {
      const score = scores.get(category) ?? { found: 0, missed: 0 }
      scores.set(category, score)
      if (hits.delete(line)) score.found++
      else {
        score.missed++
        if (process.env.COOP_CORPUS) lines.push(`missed: ${path}: ${text.split('\n')[line - 1]}`)
      }
    }
    wrong += hits.size
    if (process.env.COOP_CORPUS)
      for (const line of hits) lines.push(`wrong: ${path}: ${text.split('\n')[line - 1]?.slice(0, 200)}`)
  }
  const found = [...scores.values()].reduce((sum, each) => sum + each.found, 0)
  const missed = [...scores.values()].reduce((sum, each) => sum + each.missed, 0)
  for (const [category, { found, missed }] of scores)
    lines.push(`${category.padEnd(20)} recall ${(found / (found + missed)).toFixed(2)} of ${found + missed}`)
  const precision = found / (found + wrong)
  const recall = found / (found + missed)
  lines.push(`seed ${seed}: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}`)
  return { precision, recall, lines }
}

// The rules were looked at with the first seed; the others were held out.
for (const seed of [1, 20261129, 77])
  test(`a labelled corpus is judged well (seed ${seed})`, () => {
    const { precision, recall, lines } = measure(seed)
    process.stdout.write(`${lines.join('\n')}\n`)
    expect(precision).toBeGreaterThanOrEqual(MIN_PRECISION)
    expect(recall).toBeGreaterThanOrEqual(MIN_RECALL)
  })
