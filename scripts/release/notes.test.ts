import { expect, test } from 'bun:test'
import { notesOf } from './notes.ts'

const changelog = `# Changes

## 0.2.0 (2026-11-28)

- Boxes start
  faster, \`coop run\`	too.
- Second point.

## 0.2.0-rc.1

- Older point.
`

test('the notes are the points below the heading of the version, each in one line', () => {
  expect(notesOf(changelog, '0.2.0')).toEqual(['- Boxes start faster, `coop run` too.', '- Second point.'])
  expect(notesOf(changelog, '0.2.0-rc.1')).toEqual(['- Older point.'])
  expect(notesOf(changelog, '0.2')).toEqual([])
})

test('a very long list is cut where a manifest has no more room, and says so', () => {
  const long = `## 1.0.0\n${'- é and more words\n'.repeat(5000)}`
  const notes = notesOf(long, '1.0.0')
  expect(notes.at(-1)).toBe(`- and ${5000 - notes.length + 1} more changes: CHANGELOG.md`)
  expect(Buffer.byteLength(notes.join('\nnote '))).toBeLessThan(33 << 10)
})
