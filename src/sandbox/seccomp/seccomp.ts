/**
 * The seccomp filter of a box: policy.ts as a program for the kernel. Numbers with the same decision are joined into
 * ranges and found by binary search. For calls decided by number alone the kernel (5.11 and later) computes the result
 * once and keeps it in a bitmap, so that they do not run the program at all.
 */
import * as k from '../../../ffi/abi/constants.ts'
import { ERRNO_NUMBERS } from '../../../ffi/abi/errno.ts'
import { ABIS, type Arch } from '../../../ffi/abi/index.ts'
import { argOffset, assemble, SECCOMP_DATA, type Step } from './bpf.ts'
import { policy, type Switches } from './policy.ts'
import type { Clause, Rule, Verdict } from './rules.ts'

/** __X32_SYSCALL_BIT: another set of numbers for the same kernel (x86_64); nobody has programs for it. */
const X32_BIT = 0x40000000

/** Calls from `from` up to the next range. */
interface Range {
  readonly from: number
  readonly label: string
}

/** The value that a filter returns for a verdict (seccomp(2)). */
export function returnValue(verdict: Verdict): number {
  return verdict === 'allow' ? k.SECCOMP_RET_ALLOW : k.SECCOMP_RET_ERRNO | ERRNO_NUMBERS[verdict]
}

/** Calls by number, each with the label of its decision: a verdict, or a rule's own block. */
function ranges(decisions: ReadonlyMap<number, string>): Range[] {
  const found: Range[] = []
  const end = Math.max(...decisions.keys()) + 1
  for (let nr = 0; nr <= end; nr++) {
    const label = decisions.get(nr) ?? 'ENOSYS'
    if (found.at(-1)?.label !== label) found.push({ from: nr, label })
  }
  return found
}

/** Halves the ranges until one is left: a comparison jumps to that range's decision or to another comparison. */
function search(all: readonly Range[], steps: Step[]): void {
  const middle = all.length >> 1
  const [low, high] = [all.slice(0, middle), all.slice(middle)]
  const [first, pivot] = [low[0], high[0]]
  if (!first || !pivot) return
  const highEntry = high.length === 1 ? pivot.label : `from ${pivot.from}`
  const only = low.length === 1 ? { no: first.label } : {} // otherwise the lower half follows
  steps.push({ op: 'if', test: 'ge', k: pivot.from, yes: highEntry, ...only })
  search(low, steps)
  if (high.length > 1) steps.push({ op: 'label', name: highEntry })
  search(high, steps)
}

/** The conditions of a clause in turn; the first that fails jumps to the next clause. */
function clauseSteps({ when, verdict }: Clause, name: string): Step[] {
  const steps: Step[] = []
  const next = `${name} failed`
  when.forEach(({ arg, mask, in: values }, index) => {
    const met = index === when.length - 1 ? verdict : `${name} met ${index}`
    steps.push({ op: 'load', offset: argOffset(arg) })
    if (mask !== undefined) steps.push({ op: 'and', k: mask >>> 0 })
    values.forEach((value, at) => {
      const last = at === values.length - 1
      steps.push({ op: 'if', test: 'eq', k: value >>> 0, yes: met, ...(last ? { no: next } : {}) })
    })
    if (met !== verdict) steps.push({ op: 'label', name: met })
  })
  return [...steps, { op: 'label', name: next }]
}

function ruleSteps(rule: Rule, name: string): Step[] {
  const clauses = rule.clauses.flatMap((clause, index) => clauseSteps(clause, `${name} clause ${index}`))
  return [{ op: 'label', name }, ...clauses, { op: 'goto', to: rule.otherwise }]
}

function verdictsOf(rule: Rule): Verdict[] {
  return [rule.otherwise, ...rule.clauses.map(({ verdict }) => verdict)]
}

/** The filter before it is encoded. */
export function seccompSteps({ arch, ...switches }: { arch: Arch } & Switches): Step[] {
  const { sys, auditArch } = ABIS[arch]
  const numbers: Readonly<Record<string, number>> = sys
  const byNumber = new Map<number, string>()
  const blocks = new Map<Rule, string>()
  const verdicts = new Set<Verdict>(['ENOSYS'])
  for (const [name, decision] of policy(switches)) {
    const nr = numbers[name]
    if (nr === undefined) continue
    const label = typeof decision === 'string' ? decision : (blocks.get(decision) ?? `rule ${name}`)
    byNumber.set(nr, label)
    if (typeof decision !== 'string') blocks.set(decision, label)
    for (const verdict of typeof decision === 'string' ? [decision] : verdictsOf(decision))
      verdicts.add(verdict)
  }
  const steps: Step[] = [
    // A number means another call on another architecture, so this check comes first (seccomp(2), Caveats).
    { op: 'load', offset: SECCOMP_DATA.arch },
    { op: 'if', test: 'eq', k: auditArch, yes: 'native' },
    { op: 'return', value: k.SECCOMP_RET_KILL_PROCESS },
    { op: 'label', name: 'native' },
    { op: 'load', offset: SECCOMP_DATA.nr },
  ]
  if (arch === 'x86_64') steps.push({ op: 'if', test: 'ge', k: X32_BIT, yes: 'ENOSYS' })
  search(ranges(byNumber), steps)
  for (const [rule, label] of blocks) steps.push(...ruleSteps(rule, label))
  for (const verdict of verdicts)
    steps.push({ op: 'label', name: verdict }, { op: 'return', value: returnValue(verdict) })
  return steps
}

/**
 * The filter as an array of `struct sock_filter` for SECCOMP_SET_MODE_FILTER; at most 4096 instructions. The caller has
 * set no-new-privs. Calls of foreign architectures are killed; x32 and unknown numbers get ENOSYS.
 */
export function seccompProgram(options: { arch: Arch } & Switches): Uint8Array {
  return assemble(seccompSteps(options))
}
