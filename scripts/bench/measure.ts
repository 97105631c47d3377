/** Times programs against each other, and prints how they compare. */

export interface Contender {
  readonly name: string
  readonly command: readonly string[]
  /** Prepares each run; not timed. */
  readonly prepare?: () => void | Promise<void>
}

/** A limit on the ratio of medians: coop's divided by the peer's. */
export interface Target {
  readonly than: string
  readonly atMost: number
}

export interface Place {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const WARM_UP = 3

/** Runs the contenders in turns, so that changing load of the machine meets all of them. Returns times in ms. */
export async function compare(
  contenders: readonly Contender[],
  runs: number,
  place: Place,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (const contender of contenders) await checkWorks(contender, place)
  for (let run = -WARM_UP; run < runs; run++) {
    for (const { name, command, prepare } of contenders) {
      await prepare?.()
      const start = performance.now()
      Bun.spawnSync([...command], { ...place, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
      if (run >= 0) times.get(name)?.push(performance.now() - start)
    }
  }
  return times
}

/** Throws when a program fails: it would win every race. */
async function checkWorks({ name, command, prepare }: Contender, place: Place): Promise<void> {
  await prepare?.()
  const { exitCode, stderr } = Bun.spawnSync([...command], {
    ...place,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stderr.toString().trim()}`)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN
  const high = sorted[Math.floor(middle)] ?? Number.NaN
  return (low + high) / 2
}

/** One line: name, min, median, max. */
export function line(name: string, values: readonly number[], unit = 'ms'): string {
  const columns = [Math.min(...values), median(values), Math.max(...values)]
  return `  ${name.padEnd(28)}${columns.map((value) => value.toFixed(2).padStart(9)).join('')} ${unit}`
}

/** Prints a comparison of the first contender with the others. */
export function printComparison(
  title: string,
  times: Map<string, number[]>,
  targets: readonly Target[],
): void {
  const [ours] = times.values()
  print(`\n${title}`)
  for (const [name, values] of times) {
    const target = targets.find(({ than }) => than === name)
    const ratio = median(ours ?? []) / median(values)
    print(line(name, values) + (target ? `  ${verdict(ratio, target.atMost, 'x')}` : ''))
  }
}

export function verdict(value: number, atMost: number, unit: string): string {
  const state = value <= atMost ? 'met' : 'MISSED'
  return `${value.toFixed(2)}${unit} (target at most ${Number(atMost.toFixed(2))}${unit}: ${state})`
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
