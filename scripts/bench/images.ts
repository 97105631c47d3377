/** Compares pulling an image with `skopeo copy` and `umoci unpack`, and measures starting boxes from it. */
import { readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '../../src/host/memory.ts'
import type { Fake } from '../../src/image/unpack/testing.ts'
import { coopPath } from '../../test/harness/coop.ts'
import { hasCommand } from '../../test/harness/facts.ts'
import { type Scratch, scratch } from '../../test/harness/sandbox.ts'
import { ordinary } from '../../test/harness/users.ts'
import { layout, RealRegistry } from '../../test/images/support.ts'
import { proportionalMemory } from './daemon.ts'
import { compare, line, median, print, printComparison, verdict } from './measure.ts'

const FILES = 20_000
const LAYERS = 4
const BYTES = 1_000_000_000
const RUNS = 5
const LOOK_MS = 50
const POOL = 32 << 20 // bytes that the files are cut from; far larger than the window of any compressor here
const HALF = 512 // bytes of noise, then as many of text: compresses to half, as programs do

export async function images(): Promise<void> {
  const missing = ['docker-registry', 'skopeo', 'umoci'].filter((name) => !hasCommand(name))
  if (missing.length) throw new Error(`${missing.join(', ')} not found`)
  await using t = await scratch(ordinary)
  await using registry = await RealRegistry.start()
  const made = layout(t.folder('made'), layers())
  await registry.push(made, 'bench:1')
  rmSync(join(t.root, 'made'), { recursive: true, force: true })
  const reference = `${registry.host}/bench:1`
  await pulls(t, reference)
  await starts(t, reference)
}

async function pulls(t: Scratch, reference: string): Promise<void> {
  print(
    `\nAn image of ${FILES} files and ${(BYTES / 1e9).toFixed(1)} GB in ${LAYERS} layers, pulled and unpacked`,
  )
  const ours: number[] = []
  const copied: number[] = []
  const unpacked: number[] = []
  const peaks: number[] = []
  for (let run = 0; run < RUNS; run++) {
    if (run > 0) await program(t, [coopPath(), 'system', 'clean', '--all'])
    const { ms, peak } = await program(t, [coopPath(), 'image', 'pull', '-q', reference], true)
    ours.push(ms)
    peaks.push(peak)
    const there = t.folder(`there-${run}`)
    const tls = ['--insecure-policy', '--src-tls-verify=false']
    const copy = ['skopeo', 'copy', '-q', ...tls, `docker://${reference}`, `oci:${there}/oci:it`]
    copied.push((await program(t, copy)).ms)
    const unpack = ['umoci', 'unpack', '--rootless', '--image', `${there}/oci:it`, `${there}/bundle`]
    unpacked.push((await program(t, unpack)).ms)
    rmSync(there, { recursive: true, force: true })
  }
  const theirs = copied.map((copy, run) => copy + (unpacked[run] ?? 0))
  print(line('coop image pull', ours))
  print(`${line('skopeo copy + umoci unpack', theirs)}  ${verdict(median(ours) / median(theirs), 1, 'x')}`)
  print(line('  skopeo copy', copied))
  print(line('  umoci unpack', unpacked))
  print(`  most memory of all of coop's processes: ${verdict(Math.max(...peaks), 120, ' MB')}`)
}

async function starts(t: Scratch, reference: string): Promise<void> {
  const { code, stderr } = await t.coop(['-d', '-n', 'other', '--agent', 'sleep infinity'])
  if (code !== 0) throw new Error(`coop -d: ${stderr}`) // so that the daemon stays
  const coop = (...args: string[]) => [coopPath(), 'run', ...args, '--', 'true']
  const contenders = [
    { name: 'image of layers', command: coop('--image', reference) },
    { name: 'host', command: coop('--image', 'host') },
  ]
  const times = await compare(contenders, 40, { cwd: t.workspace, env: t.env })
  printComparison('A command in a fresh box, by image', times, [{ than: 'host', atMost: 1.3 }])
}

/** Runs a program. Returns its time in ms, and with `watch` the peak memory of all its processes together, in MB. */
async function program(
  t: Scratch,
  command: readonly string[],
  watch = false,
): Promise<{ readonly ms: number; readonly peak: number }> {
  const start = performance.now()
  const child = Bun.spawn([...command], {
    cwd: t.workspace,
    env: { ...t.env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  let peak = 0
  const look = (): void => {
    peak = Math.max(peak, memoryOf(child.pid))
  }
  const watching = watch ? setInterval(look, LOOK_MS) : undefined
  const code = await child.exited
  const ms = performance.now() - start
  clearInterval(watching)
  if (code !== 0) throw new Error(`${command.join(' ')}: ${await child.stderr.text()}`)
  return { ms, peak }
}

/**
 * Returns the MB of a process and its descendants: the proportional size, or the resident one where that may not be
 * read.
 */
function memoryOf(pid: number): number {
  const sizes = [pid, ...processesOf(pid)].map((one) => proportionalMemory(one) ?? residentMemory(one))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function residentMemory(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0 // ended meanwhile
  }
}

/** Returns files of very different sizes, as in any root file system, and the files that `true` needs to run. */
function layers(): Fake[][] {
  const pool = Buffer.alloc(POOL)
  for (let at = 0; at < POOL; at += 2 * HALF) {
    crypto.getRandomValues(pool.subarray(at, at + HALF))
    pool.fill('the quick brown fox jumps over the lazy dog\n', at + HALF, at + 2 * HALF)
  }
  const mean = BYTES / FILES
  const file = (layer: number, index: number): Fake => {
    const size = Math.min(POOL / 2, Math.round(-Math.log(1 - ((index * 0.618_034) % 1)) * mean))
    const at = (index * 7_919 * HALF) % (POOL / 2)
    const name = `usr/share/bench/${layer}/${index % 50}/${index}`
    return { name, data: pool.subarray(at, at + size), mode: 0o644, mtime: 1_700_000_000 }
  }
  const all = Array.from({ length: LAYERS }, (_, layer) =>
    Array.from({ length: FILES / LAYERS }, (_, index) => file(layer, layer * (FILES / LAYERS) + index)),
  )
  all[0]?.push(...trueAndItsLibraries())
  return all
}

function trueAndItsLibraries(): Fake[] {
  const program = Bun.which('true') ?? '/usr/bin/true'
  const { stdout } = Bun.spawnSync(['ldd', program])
  const libraries = [...stdout.toString().matchAll(/(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? [])
  return ['/usr/bin/true', ...libraries].map((path) => ({
    name: path.slice(1),
    data: readFileSync(realpathSync(path)),
    mode: 0o755,
  }))
}
