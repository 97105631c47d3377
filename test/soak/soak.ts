/**
 * A program that writes numbered lines as fast as it can, a client that shows them, and a daemon that is killed again
 * and again. The client must show every line once and in order.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { asInvoker } from '../harness/process.ts'
import type { Scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { daemonsOf } from '../integration/support.ts'

/** The kind of harm to the daemon in each round. */
export type Harm = (daemon: number, t: Scratch) => Promise<void>

export interface Soak {
  readonly rounds: number
  /** Random numbers between 0 and 1: the same sequence for the same test. */
  readonly random: () => number
  readonly harm: Harm
  /** The executable, if it is not the one under test. */
  readonly program?: string
}

export interface SoakResult {
  readonly lines: number
  readonly bytes: number
  /** Faults in words; empty when there is none. */
  readonly wrong: readonly string[]
}

/** A repeatable sequence of numbers between 0 and 1 (a linear congruential generator). */
export function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Checks a client's output: every number must follow the one before. */
export class Checker {
  lines = 0
  bytes = 0
  last: number | undefined
  readonly wrong: string[] = []
  #rest = ''

  push(bytes: Uint8Array): void {
    this.bytes += bytes.length
    const text = this.#rest + Buffer.from(bytes).toString('latin1')
    const end = text.lastIndexOf('\n') + 1
    this.#rest = text.slice(end)
    for (const line of text.slice(0, end).split('\n')) {
      const number = /^(\d+)\r$/.exec(line)?.[1]
      if (number === undefined) {
        if (line !== '' && this.last !== undefined && this.wrong.length < 20)
          this.wrong.push(`after ${this.last} came ${JSON.stringify(line.slice(0, 100))}`)
        continue
      }
      const value = Number(number)
      this.lines++
      // The first lines are those of the screen at the moment when the client attached.
      if (
        this.lines > SCREEN_LINES &&
        this.last !== undefined &&
        value !== this.last + 1 &&
        this.wrong.length < 20
      )
        this.wrong.push(`after ${this.last} came ${value}`)
      if (this.lines >= SCREEN_LINES) this.last = value
    }
  }
}

const SCREEN_LINES = 2

export async function soak(
  t: Scratch,
  { rounds, random, harm, program = coopPath() }: Soak,
): Promise<SoakResult> {
  await t.coop(['system', 'status']) // makes the scratch end the rest
  const coop = (...args: string[]) => t.run([program, ...args])
  const agent = 'sh -c "stty -echo; read go; exec seq 1000000 99999999999"'
  const created = await coop('-d', '-n', 'soak', '--agent', agent)
  if (created.code !== 0) throw new Error(created.stderr)
  const agentPid = async (): Promise<string> =>
    (await coop('exec', '-n', 'soak', '--', 'pgrep', '-x', 'seq')).stdout.trim()
  const checker = new Checker()
  const command = ['script', '-qfc', `${program} attach soak`, '/dev/null']
  const client = Bun.spawn(asInvoker(t.invoker, command), {
    cwd: t.workspace,
    env: { ...t.env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const shown = (async () => {
    for await (const bytes of client.stdout) checker.push(bytes)
  })()
  client.stdin.write('\n') // it exists when the first line arrives
  await client.stdin.flush()
  try {
    await waitUntil(() => checker.lines > 1_000, 'the first lines', 10_000)
    const before = await agentPid()
    for (let round = 0; round < rounds; round++) {
      const [daemon] = await waitUntil(() => {
        const found = daemonsOf(t)
        return found.length ? found : undefined
      }, 'a daemon')
      if (daemon === undefined) throw new Error('no daemon')
      if (round % 4) {
        const goal = checker.bytes + random() * 4_000_000 // somewhere in the next 40 ms or so of output
        await waitUntil(() => checker.bytes >= goal, `output in round ${round} (${checker.wrong.join('; ')})`)
      } // otherwise it would be killed while it starts
      await harm(daemon, t)
    }
    const goal = checker.lines + 10_000
    await waitUntil(() => checker.lines > goal, 'lines after the last round')
    const wrong = [...checker.wrong]
    if ((await agentPid()) !== before) wrong.push('the program was started again')
    await coop('exec', '-n', 'soak', '--', 'pkill', '-STOP', '-x', 'seq')
    wrong.push(...(await ringDisagreements((await coop('logs', 'soak', '--raw')).stdout, checker)))
    return { lines: checker.lines, bytes: checker.bytes, wrong }
  } finally {
    client.kill('SIGKILL')
    await client.exited
    await shown
  }
}

/** `coop logs` shows the ring: numbers in order up to the last one that the client saw. */
async function ringDisagreements(logs: string, seen: Checker): Promise<string[]> {
  const ring = new Checker()
  ring.push(Buffer.from(logs, 'latin1'))
  await waitUntil(
    () => seen.last === ring.last,
    () => `the client at ${seen.last}, the ring at ${ring.last}`,
  )
  return ring.wrong.map((sentence) => `ring: ${sentence}`)
}

/**
 * Types numbers while the daemon is killed again and again. Returns the program's input, to compare with `sent`.
 */
export async function soakInput(
  t: Scratch,
  { rounds, random, harm }: Soak,
): Promise<{ readonly sent: readonly string[]; readonly got: readonly string[] }> {
  const agent = 'sh -c "stty raw -echo; echo ready; exec cat > typed"'
  const created = await t.coop(['-d', '-n', 'soak', '--agent', agent])
  if (created.code !== 0) throw new Error(created.stderr)
  const client = Bun.spawn(
    asInvoker(t.invoker, ['script', '-qfc', `${coopPath()} attach soak`, '/dev/null']),
    { cwd: t.workspace, env: { ...t.env }, stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' },
  )
  let shown = ''
  const reading = (async () => {
    for await (const bytes of client.stdout) shown += Buffer.from(bytes).toString('latin1')
  })()
  const typed = join(t.workspace, 'typed')
  const got = (): string[] => readFileSync(typed, 'latin1').split(',').slice(0, -1)
  const sent: string[] = []
  const type = async (): Promise<void> => {
    sent.push(`${sent.length}`)
    client.stdin.write(`${sent.at(-1)},`)
    await client.stdin.flush()
  }
  try {
    await waitUntil(() => shown.includes('ready'), 'the terminal')
    for (let round = 0; round < rounds; round++) {
      const before = sent.length
      // Like a fast typist, or a slow paste. In a quarter of the rounds the daemon may be killed while it starts.
      for (const goal = before + 3 + random() * 20; sent.length < goal; await Bun.sleep(random() * 8))
        await type()
      if (round % 4)
        await waitUntil(
          () => got().length > before,
          () => `what was typed\n${shown}`,
        )
      const [daemon] = await waitUntil(
        () => {
          const found = daemonsOf(t)
          return found.length ? found : undefined
        },
        () => `a daemon\n${shown}\n${client.exitCode}`,
      )
      await type()
      await Bun.sleep(random() * 4) // most likely the terminal has it, but the client does not know yet
      await harm(daemon ?? -1, t)
    }
    await type()
    await waitUntil(
      () => got().at(-1) === sent.at(-1),
      () => `the last of what was typed\n${shown}`,
    )
    return { sent, got: got() }
  } finally {
    client.kill('SIGKILL')
    await client.exited
    await reading
  }
}
