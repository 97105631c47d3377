/** Measures what many idle boxes cost. It needs root, as only root may read the memory use of a box's init. */
import { type Scratch, scratch } from '../../test/harness/sandbox.ts'
import { ordinary } from '../../test/harness/users.ts'
import { waitUntil } from '../../test/harness/wait.ts'
import { daemonStatus, ownProcesses, proportionalMemory } from './daemon.ts'
import { line, median, print, verdict } from './measure.ts'

const AGENT = 'sleep infinity'
const WARM_UP_BOXES = 10 // the first boxes make the daemon load and compile its code
const IDLE_BOXES = 40
const MANY_BOXES = 100
const ENDS = 5 // creations compared at each end: a single one is mostly noise

export async function memory(): Promise<void> {
  await using t = await scratch(ordinary)
  const { pid } = await daemonStatus(t)
  print('\nMemory')
  const idle = await settled(() => proportionalMemory(pid))
  const before = total(ownProcesses(t, pid, AGENT))
  if (idle === undefined || before === undefined) {
    print('  (not readable as an ordinary user: run as root)')
    return
  }
  print(`  daemon, idle: ${verdict(idle, 45, ' MB')}; zygote ${before.toFixed(2)} MB`)
  for (let index = 0; index < WARM_UP_BOXES; index++) await createBox(t, index)
  const warm = await settled(() => proportionalMemory(pid))
  for (let index = 0; index < IDLE_BOXES; index++) await createBox(t, WARM_UP_BOXES + index)
  const grown = await settled(() => proportionalMemory(pid))
  const after = total(ownProcesses(t, pid, AGENT))
  if (warm === undefined || grown === undefined || after === undefined) throw new Error('the daemon ended')
  const daemonShare = (grown - warm) / IDLE_BOXES
  const initShare = (after - before) / (WARM_UP_BOXES + IDLE_BOXES)
  print(
    `  daemon with ${WARM_UP_BOXES} boxes: ${warm.toFixed(2)} MB, with ${WARM_UP_BOXES + IDLE_BOXES}: ${grown.toFixed(2)} MB`,
  )
  print(`  per idle box after the first ${WARM_UP_BOXES}: ${verdict(daemonShare + initShare, 0.5, ' MB')}`)
  print(`    of which the daemon ${daemonShare.toFixed(3)} MB, the init ${initShare.toFixed(3)} MB`)
}

export async function many(): Promise<void> {
  await using t = await scratch(ordinary)
  await daemonStatus(t)
  const times: number[] = []
  for (let index = 0; index < MANY_BOXES; index++) times.push(await createBox(t, index))
  const { creates } = await daemonStatus(t)
  print(`\n${MANY_BOXES} boxes at once`)
  print(line('coop -d', times))
  print(`  last ${ENDS} by first ${ENDS}: ${verdict(growth(times), 1.5, 'x')}`)
  if (creates.length >= MANY_BOXES) {
    print(line('in the daemon: creation', creates))
    print(`  last ${ENDS} by first ${ENDS}: ${verdict(growth(creates), 1.5, 'x')}`)
  }
  const start = performance.now()
  await t.coop(['kill', '--all', '-f'], { timeoutMs: 60_000 })
  print(`  coop kill --all -f: ${(performance.now() - start).toFixed(0)} ms`)
}

const growth = (times: readonly number[]): number => median(times.slice(-ENDS)) / median(times.slice(0, ENDS))

/** Makes a box, and returns how long that took, in ms. */
async function createBox(t: Scratch, index: number): Promise<number> {
  const workspace = t.folder(`home/w${index}`)
  const start = performance.now()
  const { code, stderr } = await t.coop(['-d', '-n', `b${index}`, '-w', workspace, '--agent', AGENT])
  if (code !== 0) throw new Error(`box ${index}: ${stderr}`)
  return performance.now() - start
}

/** Returns the MB of all processes together. */
function total(pids: readonly number[]): number | undefined {
  let sum = 0
  for (const pid of pids) {
    const size = proportionalMemory(pid)
    if (size === undefined) return undefined
    sum += size
  }
  return sum
}

/** Returns a value once two readings differ by at most 0.1 MB. */
async function settled(read: () => number | undefined): Promise<number | undefined> {
  let last = read()
  let since = performance.now()
  return last === undefined
    ? undefined
    : await waitUntil(
        () => {
          const now = read()
          if (now === undefined || last === undefined || Math.abs(now - last) > 0.1) since = performance.now()
          last = now
          return performance.now() - since > 1_000 ? now : undefined
        },
        'the memory to stay as it is',
        30_000,
      )
}
