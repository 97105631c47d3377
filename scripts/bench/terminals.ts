/** Measures a keystroke and a flood of output through coop, a bare terminal and other multiplexers. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../../test/harness/coop.ts'
import { hasCommand } from '../../test/harness/facts.ts'
import { asInvoker } from '../../test/harness/process.ts'
import { type Scratch, scratch } from '../../test/harness/sandbox.ts'
import { ordinary } from '../../test/harness/users.ts'
import { waitUntil } from '../../test/harness/wait.ts'
import { daemonStatus, proportionalMemory } from './daemon.ts'
import { median, print, verdict } from './measure.ts'

const KEYS = 5_000
// The first keys meet code that never ran. A session has many thousands, so this measures both: early, and after an
// hour.
const WARM_UPS = [1_000, 20_000]
// The program ends by itself, so that no multiplexer keeps it running.
const echo = (keys: number): string => `stty raw -echo; printf ready; exec dd bs=1 count=${keys} status=none`
const FLOOD_LINES = 12_000_000 // some 100 MB
const FLOOD = `seq 1 ${FLOOD_LINES}; printf 'do''ne'; read x`
const IDLE_MS = 30_000
const SETTLE_MS = 15_000 // the daemon tidies up for a while after making a box
const CLIENTS = 8

/** A program in a terminal of this process. */
export class Shown {
  #tail = ''
  #wanted: { readonly text: string; readonly seen: () => void } | undefined
  bytes = 0
  readonly child
  constructor(t: Scratch, command: readonly string[]) {
    this.child = Bun.spawn(asInvoker(t.invoker, command), {
      cwd: t.workspace,
      env: { ...t.env },
      terminal: {
        cols: 80,
        rows: 24,
        data: (_, bytes) => {
          this.bytes += bytes.length
          // Only the end matters: the awaited text is the last output.
          this.#tail = (this.#tail + Buffer.from(bytes.subarray(-4096)).toString('latin1')).slice(-8192)
          this.#look()
        },
      },
    })
  }

  type(text: string): void {
    this.child.terminal?.write(text)
  }

  /** Resolves when the terminal shows `text`, and then forgets it. */
  shows(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = { text, seen: resolve }
      this.#look()
    })
  }

  #look(): void {
    const wanted = this.#wanted
    if (!wanted || !this.#tail.includes(wanted.text)) return
    this.#wanted = undefined
    this.#tail = ''
    wanted.seen()
  }

  /** Resolves when the program has ended by itself. */
  async ended(): Promise<void> {
    await this.child.exited
    this.child.terminal?.close()
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended()
  }
}

interface Multiplexer {
  readonly name: string
  command(script: string): readonly string[]
}

function multiplexers(t: Scratch): Multiplexer[] {
  const sh = (script: string): string[] => ['sh', '-c', script]
  const tmux = ['tmux', '-S', join(t.root, 'bench-tmux'), '-f', '/dev/null']
  return [
    { name: 'coop', command: (script) => [coopPath(), 'shell', '--new', '-c', script] },
    { name: 'bare terminal', command: sh },
    ...(hasCommand('tmux')
      ? [{ name: 'tmux', command: (script: string) => [...tmux, 'new-session', script] }]
      : []),
    ...(hasCommand('dtach')
      ? [
          {
            name: 'dtach',
            command: (script: string) => ['dtach', '-A', join(t.root, `d${Math.random()}`), ...sh(script)],
          },
        ]
      : []),
  ]
}

export async function latency(): Promise<void> {
  await using t = await withBox()
  for (const warmUp of WARM_UPS) {
    print(`\nEcho of a key after ${warmUp} others, in ms: p50, p99`)
    const p99 = new Map<string, number>()
    for (const [name, times] of await echoTimes(t, warmUp)) {
      const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
      p99.set(name, at(0.99))
      print(`  ${name.padEnd(16)}${at(0.5).toFixed(3).padStart(9)}${at(0.99).toFixed(3).padStart(9)}`)
    }
    const [ours, theirs] = [p99.get('coop'), p99.get('tmux')]
    if (ours !== undefined && theirs !== undefined)
      print(`  p99 by that of tmux: ${verdict(ours / theirs, 1, 'x')}`)
  }
}

/**
 * Returns echo times in ms, sorted. It types into each terminal in turn, so that other load meets all of them alike.
 */
async function echoTimes(t: Scratch, warmUp: number): Promise<Map<string, number[]>> {
  const all = multiplexers(t).map(({ name, command }) => ({
    name,
    shown: new Shown(t, command(echo(warmUp + KEYS))),
    times: [] as number[],
  }))
  for (const { shown } of all) await shown.shows('ready')
  for (let i = -warmUp; i < KEYS; i++) {
    const key = String.fromCharCode(97 + ((i + warmUp) % 26))
    for (const { shown, times } of all) {
      const start = performance.now()
      shown.type(key)
      await shown.shows(key)
      if (i >= 0) times.push(performance.now() - start)
    }
  }
  for (const { shown } of all) await shown.ended()
  return new Map(all.map(({ name, times }) => [name, times.sort((a, b) => a - b)]))
}

export async function flood(): Promise<void> {
  await using t = await withBox()
  const rates = new Map<string, number[]>()
  const measure = async (name: string, run: () => Promise<void>): Promise<void> => {
    const start = performance.now()
    await run()
    const rate = floodBytes() / 1000 / (performance.now() - start)
    rates.set(name, [...(rates.get(name) ?? []), rate])
  }
  for (let round = 0; round < 3; round++) {
    const ended: Promise<void>[] = []
    for (const { name, command } of multiplexers(t)) {
      if (name === 'bare terminal') continue
      await measure(name, async () => {
        const shown = new Shown(t, command(FLOOD))
        await shown.shows('done')
        shown.type('\r')
        ended.push(shown.ended())
      })
    }
    await measure('script to a file', async () => {
      const file = join(t.root, 'typescript')
      await Bun.spawn(['script', '-qc', FLOOD, file], {
        env: { ...t.env },
        stdin: 'ignore',
        stdout: 'ignore',
      }).exited
    })
  }
  print('\nA flood of output, in MB/s (median of 3)')
  for (const [name, values] of rates) print(`  ${name.padEnd(20)}${median(values).toFixed(1).padStart(8)}`)
  const rate = (name: string): number => median(rates.get(name) ?? [])
  print(`  script by coop: ${verdict(rate('script to a file') / rate('coop'), 1 / 0.9, 'x')}`)
  if (rates.has('tmux')) print(`  tmux by coop: ${verdict(rate('tmux') / rate('coop'), 1, 'x')}`)
}

function floodBytes(): number {
  let bytes = 0
  for (let digits = 1, from = 1; from <= FLOOD_LINES; digits++, from *= 10)
    bytes += (Math.min(from * 10 - 1, FLOOD_LINES) - from + 1) * (digits + 2) // and a line end of two
  return bytes
}

/** Measures what an idle attached client costs the daemon; as root or not. */
export async function clients(): Promise<void> {
  await using t = await withBox()
  const { pid } = await daemonStatus(t)
  const first = new Shown(t, [coopPath(), 'attach'])
  await first.shows('idle')
  await Bun.sleep(SETTLE_MS)
  const before = processorTime(pid)
  await Bun.sleep(IDLE_MS)
  const share = ((processorTime(pid) - before) / (IDLE_MS * 1e6)) * 100
  print('\nAn idle box with a client')
  print(`  daemon: ${verdict(share, 0.1, '% of a processor')}`)
  const alone = proportionalMemory(pid)
  const more = Array.from({ length: CLIENTS }, () => new Shown(t, [coopPath(), 'attach']))
  await Promise.all(more.map((shown) => shown.shows('idle')))
  const together = proportionalMemory(pid)
  const own = median(more.map(({ child }) => proportionalMemory(child.pid) ?? Number.NaN))
  if (alone !== undefined && together !== undefined)
    print(
      `  memory per attached client: ${((together - alone) / CLIENTS).toFixed(2)} MB in the daemon, ${own.toFixed(1)} MB itself`,
    )
  for (const shown of [first, ...more]) await shown.kill()
}

/** Nanoseconds of all threads (proc_pid_schedstat, Documentation/scheduler/sched-stats). */
function processorTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      return sum
    }
  }, 0)
}

export async function withBox(): Promise<Scratch> {
  const t = await scratch(ordinary)
  const agent = "sh -c 'echo idle; exec sleep infinity'"
  const { code, stderr } = await t.coop(['-d', '-n', 'bench', '--agent', agent])
  if (code !== 0) throw new Error(`coop -d: ${stderr}`)
  await waitUntil(async () => (await t.coop(['logs'])).stdout.includes('idle'), 'the agent')
  return t
}
