import { describe, expect, test } from 'bun:test'
import { allowsCsi } from '../vt/csi-rules.ts'
import { judgeOsc } from '../vt/osc-rules.ts'
import { isQuery } from '../vt/query.ts'
import type { Sequence } from '../vt/sequence.ts'
import { Tokenizer } from '../vt/tokenizer.ts'
import { isDark } from './colors.ts'
import { answeredBy, copyOf, Replies } from './replies.ts'
import type { Facts, TerminalState } from './rule.ts'
import { RULES, ruleOf } from './rules.ts'

const state: TerminalState = {
  size: { columns: 100, rows: 30, width: 1000, height: 600 },
  cursor: { column: 7, row: 3 },
  privateMode: (mode) => ({ 2026: false, 25: true })[mode],
  ansiMode: (mode) => ({ 4: false })[mode],
  keyboard: 5,
  modifyOtherKeys: 2,
  cursorStyle: 4,
  pen: '0;1;31',
  isProtecting: false,
  margins: [2, 20],
  color: (name) => ({ '11': '#102030', '4;1': 'rgb:ab/cd/ef' })[name],
}
const facts: Facts = { colors: new Map([['10', 'rgb:1111/2222/3333']]), learn: () => {} }

function sequences(text: string): Sequence[] {
  const found: Sequence[] = []
  const sink = { text: () => {}, control: () => {}, sequence: (it: Sequence) => found.push(copyOf(it)) }
  new Tokenizer({ ...sink, sequence: (it) => void sink.sequence(it) }).push(Buffer.from(text, 'latin1'))
  return found
}

const answers = (text: string): string =>
  sequences(text)
    .map((it) => {
      const rule = ruleOf(it)
      return rule?.fromState?.(it, state, facts) ?? rule?.answer?.(it, facts) ?? ''
    })
    .join('')

describe('a question gets', () => {
  test.each([
    ['\x1b[c', '\x1b[?62;22c'],
    ['\x1b[0c', '\x1b[?62;22c'],
    ['\x1b[>c', '\x1b[>0;277;0c'],
    ['\x1b[=c', '\x1bP!|00000000\x1b\\'],
    ['\x1b[5n', '\x1b[0n'],
    ['\x1b[6n', '\x1b[3;7R'],
    ['\x1b[?6n', '\x1b[?3;7;1R'],
    ['\x1b[?996n', '\x1b[?997;1n'],
    ['\x1b[?2026$p', '\x1b[?2026;2$y'],
    ['\x1b[?25$p', '\x1b[?25;1$y'],
    ['\x1b[?2027$p', '\x1b[?2027;0$y'],
    ['\x1b[4$p', '\x1b[4;2$y'],
    ['\x1b[?u', '\x1b[?5u'],
    ['\x1b[?4m', '\x1b[>4;2m'],
    ['\x1b[14t', '\x1b[4;600;1000t'],
    ['\x1b[16t', '\x1b[6;20;10t'],
    ['\x1b[18t', '\x1b[8;30;100t'],
    ['\x1b[?2;1S', '\x1b[?2;3;0S'],
    // The program's own colour, that of the user's terminal, and a usual one; with the question's own end.
    ['\x1b]11;?\x07', '\x1b]11;rgb:1010/2020/3030\x07'],
    ['\x1b]10;?\x1b\\', '\x1b]10;rgb:1111/2222/3333\x1b\\'],
    ['\x1b]12;?\x07', '\x1b]12;rgb:e5e5/e5e5/e5e5\x07'],
    ['\x1b]10;?;?\x07', '\x1b]10;rgb:1111/2222/3333\x07\x1b]11;rgb:1010/2020/3030\x07'],
    ['\x1b]4;1;?;231;?\x07', '\x1b]4;1;rgb:ab/cd/ef\x07\x1b]4;231;rgb:ffff/ffff/ffff\x07'],
    ['\x1bP$qm\x1b\\', '\x1bP1$r0;1;31m\x1b\\'],
    ['\x1bP$qr\x1b\\', '\x1bP1$r2;20r\x1b\\'],
    ['\x1bP$q q\x1b\\', '\x1bP1$r4 q\x1b\\'],
    ['\x1bP+q544e;436f\x1b\\', '\x1bP1+r544E=787465726D2D323536636F6C6F72\x1b\\\x1bP1+r436F=323536\x1b\\'],
  ])('%j: %j', (question, answer) => expect(answers(question)).toBe(answer))

  test.each([
    ['a setting', '\x1bP$q;rm -rf ~\n\x1b\\'],
    ['a setting by the name of a property', '\x1bP$qconstructor\x1b\\'],
    ['a capability', `\x1bP+q${Buffer.from('\rrm -rf ~\r').toString('hex')}\x1b\\`],
    ['a capability by the name of a property', `\x1bP+q${Buffer.from('__proto__').toString('hex')}\x1b\\`],
    ['a title', '\x1b]2;rm -rf ~\x07\x1b[21t'],
    ['the clipboard', '\x1b]52;c;?\x07'],
    ['a colour by a name', '\x1b]11;rm -rf ~\x07\x1b]11;?\x07'],
    ['the text on the screen', '\x1b[1;1;1;1;9;9*y'],
  ])('nothing of %s that the program chose', (_, question) => {
    for (const own of ['rm', 'constructor', 'proto', Buffer.from('rm').toString('hex')])
      expect(answers(question).toLowerCase()).not.toContain(own)
  })
})

test('every question that passes the filter has a rule, and only a sequence that is a question has one', () => {
  const finals = Array.from({ length: 0x7f - 0x40 }, (_, at) => String.fromCharCode(0x40 + at))
  const all = finals.flatMap((final) =>
    ['', '>', '=', '?'].flatMap((prefix) =>
      ['', ' ', '$', '*'].flatMap((mark) =>
        ['', '0', '1', '4', '5', '6', '14', '16', '18', '19', '996', '2;1'].map(
          (parameters) => `\x1b[${prefix}${parameters}${mark}${final}`,
        ),
      ),
    ),
  )
  const osc = ['4;1;?', '10;?', '11;?', '12;?', '17;?', '19;?', '22;?x', '52;c;?'].map(
    (it) => `\x1b]${it}\x07`,
  )
  const passing = new Set<string>()
  const ruled = new Set<string>()
  for (const it of sequences(all.join('') + osc.join(''))) {
    const kind = it.kind === 'csi' ? it.key.toString(16) : it.text
    if ((it.kind === 'csi' ? allowsCsi(it) : judgeOsc(it)) && isQuery(it)) passing.add(kind)
    if (!ruleOf(it)) continue
    ruled.add(kind)
    expect([isQuery(it), Buffer.from(it.raw).toString()]).toContain(true)
  }
  expect(passing.size).toBeGreaterThan(15)
  expect([...passing].filter((kind) => !ruled.has(kind))).toEqual([])
})

const ALL =
  '\x1b[c\x1b[>c\x1b[=c\x1b[>q\x1b[5n\x1b[6n\x1b[?6n\x1b[?996n\x1b[?7$p\x1b[4$p\x1b[?u\x1b[?4m\x1b[14t\x1b[16t\x1b[18t' +
  '\x1b[19t\x1b[?1;1S\x1b]11;?\x07\x1b]4;1;?\x07\x1bP$qm\x1b\\\x1bP+q544e\x1b\\'

test('an answer that a terminal echoes is no question', () => {
  const asked = sequences(answers(ALL)).filter((it) => (ruleOf(it)?.attached ?? 'nobody') !== 'nobody')
  expect(asked.map(({ raw }) => Buffer.from(raw).toString())).toEqual([])
})

test('each answer is known as the answer to its question', () => {
  const asked = sequences(ALL)
  for (const it of asked) {
    const rule = ruleOf(it)
    const answer = rule?.fromState?.(it, state, facts) ?? rule?.answer?.(it, facts) ?? ''
    const replies = new Replies()
    const half = answer.length >> 1
    const parts = [answer.slice(0, half), answer.slice(half)].map((part) => Buffer.from(part, 'latin1'))
    const found = parts.flatMap((part) => [...replies.push(part)])
    expect(found).toEqual([answer])
    expect(
      RULES[
        answeredBy(
          answer,
          RULES.map((known) => ({ rule: known })),
        )
      ],
    ).toBe(rule)
  }
})

test('dark and light backgrounds', () => {
  expect(
    ['rgb:0/0/0', 'rgb:1010/2020/3030', 'rgb:ffff/ffff/ffff', 'rgb:ff/ff/e0', 'rgba:f/f/f/0'].map(isDark),
  ).toEqual([true, true, false, false, false])
})
