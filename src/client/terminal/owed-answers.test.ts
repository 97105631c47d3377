import { expect, test } from 'bun:test'
import { OutputFilter } from '../../vt/filter.ts'
import { OwedAnswers } from './owed-answers.ts'

test('the terminal gets no question whose answer could be typed at the prompt', () => {
  const owed = new OwedAnswers()
  const filter = new OutputFilter({ asked: (sequence) => owed.asked(sequence, 0) !== false })
  const passed = filter.push(Buffer.from('\x1b[c'.repeat(4000)))
  expect(passed.length).toBeGreaterThan(0)
  const answers = passed.length / 3
  // A client that leaves has taken every answer before that to its own last question.
  owed.last()
  expect(owed.input(Buffer.from('\x1b[?62c'.repeat(answers)))).toHaveLength(answers)
  expect(owed.some(1)).toBe(true)
  owed.input(Buffer.from('\x1b[?62c'))
  expect(owed.some(1)).toBe(false)
  // Questions that a terminal does not know stay open for a time only.
  filter.push(Buffer.from('\x1b[>q'.repeat(4000)))
  expect(filter.push(Buffer.from('\x1b[c'))).toHaveLength(0)
  const later = new OutputFilter({ asked: (sequence) => owed.asked(sequence, 10_000) !== false })
  expect(later.push(Buffer.from('\x1b[c'))).toHaveLength(3)
})
