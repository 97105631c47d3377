/**
 * Classic BPF for seccomp(2): an assembler with labels, and an interpreter for the tests. It supports only the handful
 * of instructions that a filter needs. Encoding: linux/filter.h, linux/bpf_common.h.
 */

const LD_W_ABS = 0x20
const ALU_AND_K = 0x54
const JMP_JA = 0x05
const RET_K = 0x06
const JUMPS = { eq: 0x15, gt: 0x25, ge: 0x35, set: 0x45 } as const

/** BPF_MAXINSNS: the kernel accepts no longer program. */
export const MAX_INSTRUCTIONS = 4096
/** Bytes of one sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
export const INSTRUCTION_SIZE = 8

/** One step of a program. `yes` and `no` name labels; without a label the next step follows. */
export type Step =
  | { readonly op: 'load'; readonly offset: number }
  | { readonly op: 'and'; readonly k: number }
  | {
      readonly op: 'if'
      readonly test: keyof typeof JUMPS
      readonly k: number
      readonly yes?: string
      readonly no?: string
    }
  | { readonly op: 'goto'; readonly to: string }
  | { readonly op: 'return'; readonly value: number }
  | { readonly op: 'label'; readonly name: string }

/** Offsets of the fields of `struct seccomp_data` (seccomp(2)). */
export const SECCOMP_DATA = { size: 64, nr: 0, arch: 4, args: 16 } as const

/** Offset of the low or high half of an argument; both architectures are little-endian. */
export function argOffset(index: number, half: 'low' | 'high' = 'low'): number {
  return SECCOMP_DATA.args + index * 8 + (half === 'high' ? 4 : 0)
}

type If = Extract<Step, { op: 'if' }>

interface Placed {
  readonly at: number[]
  readonly labels: ReadonlyMap<string, number>
  readonly length: number
}

/** Positions of all steps, given the number of trampolines after each of them. */
function place(steps: readonly Step[], far: readonly Set<'yes' | 'no'>[]): Placed {
  const labels = new Map<string, number>()
  const at: number[] = []
  let length = 0
  steps.forEach((step, index) => {
    at.push(length)
    if (step.op !== 'label') length += 1 + (far[index]?.size ?? 0)
    else if (labels.has(step.name)) throw new Error(`label ${step.name} is there twice`)
    else labels.set(step.name, length)
  })
  return { at, labels, length }
}

/** The distance of a jump; the kernel refuses backward jumps (bpf_check_classic). */
function distance({ labels }: Placed, from: number, label: string): number {
  const target = labels.get(label)
  if (target === undefined) throw new Error(`label ${label} is nowhere`)
  const skipped = target - from - 1
  if (skipped < 0) throw new Error(`the jump to ${label} goes back`)
  return skipped
}

const SIDES = ['yes', 'no'] as const

/** The offset of one side of a conditional: past its trampolines, to one of them, or to its label. */
function sideOffset(step: If, side: 'yes' | 'no', far: Set<'yes' | 'no'>, placed: Placed, at: number) {
  const label = step[side]
  if (label === undefined) return far.size
  if (!far.has(side)) return distance(placed, at, label)
  return SIDES.filter((other) => far.has(other)).indexOf(side)
}

/**
 * The sides that need a trampoline, a `ja` after the conditional, because conditionals have 8-bit offsets. Each
 * trampoline moves the steps after it, so the search repeats until nothing changes. It ends because the sets only grow.
 */
function findFar(steps: readonly Step[]): Set<'yes' | 'no'>[] {
  const far = steps.map(() => new Set<'yes' | 'no'>())
  for (let changed = true; changed; ) {
    changed = false
    const placed = place(steps, far)
    steps.forEach((step, index) => {
      const sides = far[index]
      if (step.op !== 'if' || !sides) return
      for (const side of SIDES) {
        if (sides.has(side) || sideOffset(step, side, sides, placed, placed.at[index] ?? 0) <= 255) continue
        sides.add(side)
        changed = true
      }
    })
  }
  return far
}

/** The program as an array of `struct sock_filter`. Throws if the kernel would refuse it. */
export function assemble(steps: readonly Step[]): Uint8Array {
  const far = findFar(steps)
  const placed = place(steps, far)
  if (placed.length === 0 || placed.length > MAX_INSTRUCTIONS)
    throw new RangeError(`a filter has 1 to ${MAX_INSTRUCTIONS} instructions, not ${placed.length}`)
  const last = steps.at(-1)
  if (last?.op !== 'return') throw new Error('a filter ends with a return')
  const bytes = new Uint8Array(placed.length * INSTRUCTION_SIZE)
  const view = new DataView(bytes.buffer)
  let position = 0
  const emit = (code: number, k: number, jt = 0, jf = 0) => {
    const at = position++ * INSTRUCTION_SIZE
    view.setUint16(at, code, true)
    view.setUint8(at + 2, jt)
    view.setUint8(at + 3, jf)
    view.setUint32(at + 4, k, true)
  }
  steps.forEach((step, index) => {
    if (step.op === 'load') emit(LD_W_ABS, step.offset)
    else if (step.op === 'and') emit(ALU_AND_K, step.k)
    else if (step.op === 'return') emit(RET_K, step.value)
    else if (step.op === 'goto') emit(JMP_JA, distance(placed, position, step.to))
    else if (step.op === 'if') {
      const sides = far[index] ?? new Set()
      const [jt, jf] = SIDES.map((side) => sideOffset(step, side, sides, placed, position))
      emit(JUMPS[step.test], step.k, jt, jf)
      for (const side of SIDES) {
        const label = step[side]
        if (sides.has(side) && label !== undefined) emit(JMP_JA, distance(placed, position, label))
      }
    }
  })
  return bytes
}

/** The input of a filter; arguments are 64 bits, missing ones 0. */
export interface SeccompData {
  readonly nr: number
  readonly arch: number
  readonly args?: readonly (number | bigint)[]
}

function dataBytes({ nr, arch, args = [] }: SeccompData): DataView {
  const view = new DataView(new ArrayBuffer(SECCOMP_DATA.size))
  view.setUint32(SECCOMP_DATA.nr, nr >>> 0, true)
  view.setUint32(SECCOMP_DATA.arch, arch, true)
  args.forEach((arg, index) => {
    view.setBigUint64(argOffset(index), BigInt.asUintN(64, BigInt(arg)), true)
  })
  return view
}

/** Runs a filter as the kernel would. Throws on everything that the kernel's checker refuses. */
export function runBpf(program: Uint8Array, input: SeccompData): { value: number; steps: number } {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const data = dataBytes(input)
  let accumulator = 0
  let position = 0
  for (let steps = 1; ; steps++) {
    const at = position * INSTRUCTION_SIZE
    if (at >= program.length) throw new Error(`the filter runs past its end at ${position}`)
    const code = view.getUint16(at, true)
    const k = view.getUint32(at + 4, true)
    const jump = (taken: boolean) => view.getUint8(at + (taken ? 2 : 3))
    position++
    if (code === RET_K) return { value: k, steps }
    if (code === LD_W_ABS) {
      if (k % 4 !== 0 || k >= SECCOMP_DATA.size) throw new Error(`the filter loads from ${k}`)
      accumulator = data.getUint32(k, true)
    } else if (code === ALU_AND_K) accumulator = (accumulator & k) >>> 0
    else if (code === JMP_JA) position += k
    else if (code === JUMPS.eq) position += jump(accumulator === k)
    else if (code === JUMPS.gt) position += jump(accumulator > k)
    else if (code === JUMPS.ge) position += jump(accumulator >= k)
    else if (code === JUMPS.set) position += jump((accumulator & k) !== 0)
    else throw new Error(`the filter has an unknown instruction ${code} at ${position - 1}`)
  }
}
