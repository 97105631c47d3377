import { describe, expect, test } from 'bun:test'
import { allowsCsi, allowsEscape } from './csi-rules.ts'
import { OutputFilter } from './filter.ts'
import { MAX_STRING } from './limits.ts'
import { isQuery } from './query.ts'
import { fuzz, inTurn, randomSplit, tokens } from './testing.ts'

describe('any stream', () => {
  const run = (parts: readonly Uint8Array[]): Buffer => {
    const filter = new OutputFilter()
    const shown = Array.from(inTurn(parts), (part) => new Uint8Array(filter.push(part)))
    expect(filter.held).toBeLessThanOrEqual(MAX_STRING)
    return Buffer.concat([...shown, filter.flush()])
  }

  /** Appends a character, so that a byte that begins a character is not held back. */
  const ended = (bytes: Uint8Array) => new Uint8Array(Buffer.concat([bytes, Buffer.from('.')]))

  test('is filtered the same in any pieces, and only once', () => {
    fuzz(2, (bytes, random) => {
      const once = run([bytes])
      expect(run(randomSplit(random, bytes)).equals(once)).toBe(true)
      const again = ended(once)
      expect(run([again]).equals(again)).toBe(true)
    })
  })

  test('read again holds nothing that is forbidden, and no part of a sequence', () => {
    fuzz(3, (bytes) => {
      const shown = run([bytes])
      expect(shown.toString()).not.toMatch(/[\x80-\x9f]/)
      const found = tokens([ended(shown)])
      for (const token of found) {
        if (!('sequence' in token)) {
          if (token.is === 'control') expect(token.bytes).toMatch(/^[\x07-\x0f]$/)
          continue
        }
        const { sequence, is } = token
        if (is === 'csi') expect(allowsCsi(sequence)).toBe(true)
        else if (is === 'esc') expect(allowsEscape(sequence)).toBe(true)
        else if (is === 'osc') {
          expect(sequence.text).toMatch(/^(?:[0129]|4|10|11|12|17|19|104|11\d|8|22|52|99|133|633|777)(?:;|$)/)
          expect(sequence.text).not.toMatch(/[\0-\x1f\x7f]/)
          expect(sequence.text).not.toMatch(/^52;[^;]*;\?/)
        } else if (is === 'apc') expect(sequence.text).toMatch(/^G(?!.*t=[fts])/)
        else expect(['dcs', 'title']).toContain(is)
      }
      const sum = found.reduce((total, { bytes: part }) => total + part.length, 0)
      expect(sum).toBe(shown.length + 1)
    })
  })

  test('without queries holds none', () => {
    fuzz(4, (bytes) => {
      const filter = new OutputFilter({ queries: false })
      const shown = new Uint8Array(Buffer.concat([filter.push(bytes), filter.flush()]))
      for (const token of tokens([shown]))
        if ('sequence' in token) expect(isQuery(token.sequence)).toBe(false)
    })
  })
})
