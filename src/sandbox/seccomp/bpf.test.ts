import { expect, test } from 'bun:test'
import { argOffset, assemble, INSTRUCTION_SIZE, MAX_INSTRUCTIONS, runBpf, type Step } from './bpf.ts'

const pad = (count: number): Step[] => Array.from({ length: count }, () => ({ op: 'and', k: 0xffff_ffff }))
const value = (steps: Step[], nr: number) => runBpf(assemble(steps), { nr, arch: 0 }).value

test('instructions are encoded as struct sock_filter', () => {
  const program = assemble([
    { op: 'load', offset: 4 },
    { op: 'if', test: 'eq', k: 0xc000003e, no: 'no' },
    { op: 'return', value: 0x7fff0000 },
    { op: 'label', name: 'no' },
    { op: 'return', value: 0x80000000 },
  ])
  expect(Buffer.from(program).toString('hex')).toBe(
    ['2000000004000000', '150000013e0000c0', '060000000000ff7f', '0600000000000080'].join(''),
  )
})

for (const [test_, k, yes, no] of [
  ['eq', 7, [7], [6, 8, 0x40000007]],
  ['gt', 7, [8, 0xffff_ffff], [7, 0]],
  ['ge', 0x80000000, [0x80000000, 0xffff_ffff], [0, 0x7fff_ffff]],
  ['set', 0x80000001, [1, 0x80000000], [2, 0x7fff_fffe]],
] as const) {
  for (const gap of [0, 252, 253, 254, 255, 256, 257, 2000])
    test(`'${test_}' decides over ${gap} instructions, on unsigned 32 bits`, () => {
      const steps: Step[] = [
        { op: 'load', offset: 0 },
        { op: 'if', test: test_, k, yes: 'yes', no: 'no' },
        ...pad(gap),
        { op: 'label', name: 'yes' },
        { op: 'return', value: 1 },
        ...pad(gap),
        { op: 'label', name: 'no' },
        { op: 'return', value: 2 },
      ]
      for (const nr of yes) expect(value(steps, nr)).toBe(1)
      for (const nr of no) expect(value(steps, nr)).toBe(2)
    })
}

test('a side without a label goes on, also over the trampoline of the other', () => {
  for (const side of ['yes', 'no'] as const) {
    const steps: Step[] = [
      { op: 'load', offset: 0 },
      { op: 'if', test: 'eq', k: 1, [side]: 'far' },
      { op: 'return', value: 10 },
      ...pad(400),
      { op: 'label', name: 'far' },
      { op: 'return', value: 20 },
    ]
    expect(value(steps, 1)).toBe(side === 'yes' ? 20 : 10)
    expect(value(steps, 2)).toBe(side === 'yes' ? 10 : 20)
  }
})

test('a chain of 1000 far jumps lands where it should', () => {
  const steps: Step[] = [{ op: 'load', offset: 0 }]
  for (let nr = 0; nr < 1000; nr++) steps.push({ op: 'if', test: 'eq', k: nr, yes: `r${nr}` })
  steps.push({ op: 'return', value: 5000 })
  for (let nr = 0; nr < 1000; nr++) steps.push({ op: 'label', name: `r${nr}` }, { op: 'return', value: nr })
  const program = assemble(steps)
  expect(program.length / INSTRUCTION_SIZE).toBeGreaterThan(2500)
  for (let nr = 0; nr < 1001; nr++) expect(runBpf(program, { nr, arch: 0 }).value).toBe(nr < 1000 ? nr : 5000)
})

test('both halves of an argument can be loaded', () => {
  const args = [0, 0x1122_3344_5566_7788n]
  const half = (which: 'low' | 'high') =>
    runBpf(
      assemble([
        { op: 'load', offset: argOffset(1, which) },
        { op: 'if', test: 'eq', k: which === 'low' ? 0x5566_7788 : 0x1122_3344, no: 'no' },
        { op: 'return', value: 1 },
        { op: 'label', name: 'no' },
        { op: 'return', value: 0 },
      ]),
      { nr: 0, arch: 0, args },
    ).value
  expect([half('low'), half('high')]).toEqual([1, 1])
})

test('what the kernel would refuse is refused here', () => {
  const end: Step = { op: 'return', value: 0 }
  expect(() => assemble([])).toThrow('1 to 4096')
  expect(() => assemble([...pad(MAX_INSTRUCTIONS), end])).toThrow('4097')
  expect(() => assemble(pad(1))).toThrow('ends with a return')
  expect(() => assemble([{ op: 'goto', to: 'x' }, end])).toThrow('nowhere')
  expect(() => assemble([{ op: 'label', name: 'x' }, { op: 'goto', to: 'x' }, end])).toThrow('goes back')
  expect(() => assemble([{ op: 'label', name: 'x' }, { op: 'label', name: 'x' }, end])).toThrow('twice')
  expect(() => runBpf(assemble([{ op: 'load', offset: 64 }, end]), { nr: 0, arch: 0 })).toThrow('64')
  expect(() => runBpf(new Uint8Array(8), { nr: 0, arch: 0 })).toThrow('unknown instruction')
  expect(() => runBpf(assemble([...pad(1), end]).subarray(0, 8), { nr: 0, arch: 0 })).toThrow('past its end')
})
