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

test('questions about images are owed answers, with and without data', () => {
  const owed = new OwedAnswers()
  const filter = new OutputFilter({ asked: (sequence) => owed.asked(sequence, 0) !== false })
  for (const question of ['a=q,i=31,s=1,v=1;AAAA', 'a=q,i=31', 'a=T,f=100,i=7;AAAA']) {
    filter.push(Buffer.from(`\x1b_G${question}\x1b\\`))
    expect(owed.some(1)).toBe(true)
    expect(owed.input(Buffer.from('\x1b_Gi=31;OK\x1b\\'))).toHaveLength(1)
    expect(owed.some(1)).toBe(false)
  }
  for (const silent of ['a=T,f=100;AAGi=', 'a=T,i=7,q=2;AAAA'])
    filter.push(Buffer.from(`\x1b_G${silent}\x1b\\`))
  expect(owed.some(1)).toBe(false)
  // Where the terminal owes too much already, an image is shown without an answer.
  filter.push(Buffer.from('\x1b[c'.repeat(4000)))
  expect(filter.push(Buffer.from('\x1b_Ga=T,i=7;AAAA\x1b\\')).toString()).toBe('\x1b_Ga=T,i=7,q=2;AAAA\x1b\\')
  expect(filter.push(Buffer.from('\x1b_Ga=q,i=7;AAAA\x1b\\'))).toHaveLength(0)
})

test('answers that come long after the end of the program that asked are nobody’s', () => {
  const owed = new OwedAnswers()
  const filter = new OutputFilter({ asked: (sequence) => owed.asked(sequence, 0) !== false })
  const late = (text: string, now: number) => Buffer.from(owed.timely(Buffer.from(text), now)).toString()
  filter.push(Buffer.from('\x1b[>q\x1b[6n'))
  expect(late('\x1b[1;2R', 0)).toBe('\x1b[1;2R') // the program runs
  filter.push(Buffer.from('\x1b[6n\x1b[c'))
  owed.programEnded(0)
  expect(late('a\x1bP>|x(1)\x1b\\', 100)).toBe('a\x1bP>|x(1)\x1b\\') // the daemon waits for it
  expect(late('a\x1b[3;4Rb\x1b[A', 5000)).toBe('ab\x1b[A')
  expect(late('\x1b[?62cc', 6000)).toBe('c')
  expect(late('\x1b[?62c', 7000)).toBe('\x1b[?62c') // that of the next program
})
