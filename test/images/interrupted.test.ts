/** Pulls and builds that are killed, cut off or run twice at once: the next one finishes, and nothing half made stays. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, output } from '../integration/support.ts'
import { CuttingProxy } from './cutting-proxy.ts'
import { MemoryDisk } from './memory-disk.ts'
import { smallRoot } from './roots.ts'
import { layout, RealRegistry, run, tools } from './support.ts'

const KILLS = Number(process.env.COOP_SOAK_KILLS ?? 30) // of pulls, and of builds, shared among the users
const LOST_PULLS = 8
const CUTS = 4 // of each
const SIZE = '500m' // each layer is synced: a busy disk takes a second for it
const LONG_MS = 120_000 + KILLS * 3000

let registry: RealRegistry
let folder: string
let small: string

/** Incompressible, and quick to make: gzip looks back no further than 32 KiB. */
const noise = (blocks: number): Buffer =>
  Buffer.concat(Array(blocks).fill(crypto.getRandomValues(new Uint8Array(65_536))))

beforeAll(async () => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-interrupted-')
  registry = await RealRegistry.start()
  const layer = (name: string) => [
    ...Array.from({ length: 100 }, (_, i) => ({
      name: `${name}/${i}`,
      data: crypto.getRandomValues(new Uint8Array(10_000)),
    })),
    { name: `${name}/big`, data: noise(20) },
    { name: `${name}/owned`, data: 'x', uid: 5, gid: 5, mode: 0o600 },
  ]
  await registry.push(layout(folder, [layer('a'), layer('b'), layer('c')]), 'it:1')
  small = `oci:${layout(folder, [smallRoot(folder)])}`
  run(['chmod', '-R', 'a+rX', folder])
}, 60_000)
afterAll(async () => {
  if (tools.missing) return
  await registry[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const name = (): string => `${registry.host}/it:1`

/** Everything in the layers' folders: owners, sizes, content; times only where the archive sets them. */
function content(t: Scratch, times = true): string {
  const top = join(t.dataDir, 'images/layers')
  const format = `%P|%y|%m|%U|${times ? '%s|%T@' : ''}\\n`
  const script =
    'cd "$1" && find . -path "*/fs/*" -printf "$2" | sort && find . -type f -path "*/fs/*" -exec sha256sum {} + | sort'
  return Bun.spawnSync(['sh', '-c', script, 'sh', top, format], { maxBuffer: 1 << 26 }).stdout.toString()
}

function leftovers(t: Scratch): string[] {
  const folders = [join(t.dataDir, 'images'), join(t.dataDir, 'trash'), t.cacheDir]
  const names = folders.flatMap((at) =>
    existsSync(at) ? readdirSync(at, { recursive: true }).map(String) : [],
  )
  return names.filter((path) => /\.tmp-|\.partial|^layer\./.test(path))
}

/** Removes everything, as on a new machine. */
function forget(t: Scratch): void {
  rmSync(join(t.dataDir, 'images'), { recursive: true, force: true })
  rmSync(join(t.cacheDir, 'blobs'), { recursive: true, force: true })
}

/** Kills one process of a command at a random moment of its usual duration. */
async function killed(
  t: Scratch,
  command: readonly string[],
  duration: number,
  round: number,
): Promise<void> {
  const started = t.startCoop(command)
  await Bun.sleep(Math.random() * duration)
  if (round % 3 === 0) started.kill('SIGINT')
  else if (round % 3 === 1)
    started.kill('SIGKILL') // the client: its worker notices its end
  else Bun.spawnSync(['pkill', '-KILL', '-P', String(await started.pid())]) // the worker
  await started.process.exited
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = tools.missing || can.missing
  const note = `${tools.note}${can.note}`
  const rounds = Math.ceil(KILLS / everyone.length)

  /** The next run finishes, whenever the one before was killed, and gives the same result. */
  async function survives(t: Scratch, command: readonly string[], times: boolean): Promise<void> {
    output(await t.coop(command))
    const expected = content(t, times)
    expect(expected).toContain('/fs/')
    forget(t)
    const start = performance.now()
    output(await t.coop(command))
    const duration = performance.now() - start
    for (let round = 0; round < rounds; round++) {
      if (round % 5 !== 4) forget(t) // otherwise the build continues from existing layers
      await killed(t, command, duration, round)
      output(await t.coop(command))
      expect(content(t, times)).toBe(expected)
      expect(leftovers(t)).toEqual([])
    }
  }

  test.skipIf(skip)(
    `killed at any moment, the next pull gives the same${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using _disk = new MemoryDisk(t.dataDir, invoker, SIZE)
      await survives(t, ['image', 'pull', '-q', name()], true)
    },
    LONG_MS,
  )

  test.skipIf(skip)(
    `killed at any moment, the next build gives the same${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using _disk = new MemoryDisk(t.dataDir, invoker, SIZE)
      const setup = [
        'mkdir /made; for i in 1 2 3 4 5 6 7 8 9; do echo $i >/made/$i; done',
        'cat /made/* >/all; rm /made/3; dd if=/dev/zero of=/zeros bs=1M count=3 2>/dev/null',
      ]
      t.settings(`[sandbox]\nimage = ${JSON.stringify(small)}\nsetup = ${JSON.stringify(setup)}\n`)
      await survives(t, ['build', '-q'], false)
    },
    LONG_MS,
  )
})

test.skipIf(tools.missing)(
  `layers that a power cut may have damaged are unpacked again${tools.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    const top = join(t.dataDir, 'images/layers')
    const unsynced = () =>
      readdirSync(top, { recursive: true })
        .map(String)
        .filter((path) => path.endsWith('unsynced'))
    output(await t.coop(['image', 'pull', '-q', small]))
    await waitUntil(() => unsynced().length === 0, 'everything to be on the disk')
    const expected = content(t)
    const run = ['run', '--image', small, '--', 'sh', '-c', ':']
    output(await t.coop(run))
    // The state after a power cut: the mark of another boot, and a file that was never written.
    const [ids = ''] = readdirSync(top)
    const [layer = ''] = readdirSync(join(top, ids))
    writeFileSync(join(top, ids, layer, 'unsynced'), '7c6a18b4-8d0f-4a6e-9a37-0d1f5a2f9f10')
    writeFileSync(join(top, ids, layer, 'fs/bin/busybox'), '')
    expectRefusal(await t.coop(run), { code: 125, sentence: /is not complete/, hint: /coop image pull/ })
    output(await t.coop(['image', 'pull', '-q', small]))
    expect(content(t)).toBe(expected)
    output(await t.coop(run))
  },
  LONG_MS,
)

test.skipIf(tools.missing)(
  `connections that break at any byte: the pull continues by itself${tools.note}`,
  async () => {
    await using whole = await scratch(ordinary, { git: false })
    output(await whole.coop(['image', 'pull', '-q', name()]))
    const expected = content(whole)
    const lossy = async (): Promise<number> => {
      await using t = await scratch(ordinary, { git: false })
      // Small ones, too: in the middle of a header, of a manifest.
      const limits = Array.from({ length: CUTS }, () => Math.floor(10 ** (Math.random() * 5.9)))
      using proxy = await CuttingProxy.start(registry.host, limits)
      output(await t.coop(['image', 'pull', '-q', `${proxy.host}/it:1`]))
      expect(content(t)).toBe(expected)
      expect(leftovers(t)).toEqual([])
      return proxy.cuts
    }
    // In parallel: most of the time they wait before they ask again.
    const cuts = await Promise.all(Array.from({ length: LOST_PULLS }, lossy))
    expect(cuts.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(30)
  },
  LONG_MS,
)

test.skipIf(tools.missing)(
  `two pulls at once download and unpack once${tools.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    const both = [1, 2].map(() => t.startCoop(['image', 'pull', name()]))
    const results = await Promise.all(both.map((pull) => pull.finished()))
    expect(results.map(({ code }) => code)).toEqual([0, 0])
    const said = results.map(({ stderr }) => stderr).join('')
    expect(said.match(/: done/g)).toHaveLength(3)
    expect(said.match(/already here/g)).toHaveLength(3)
    expect(leftovers(t)).toEqual([])
  },
  60_000,
)

test.skipIf(tools.missing)(
  `SIGINT ends a pull with 130 and a hint on how to continue${tools.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    // The proxy passes no byte of the layers on, so the pull cannot finish before the signal.
    using proxy = await CuttingProxy.start(registry.host, Array(100).fill(Number.POSITIVE_INFINITY), 100_000)
    const pull = t.startCoop(['image', 'pull', `${proxy.host}/it:1`])
    await proxy.stalled
    pull.kill('SIGINT')
    const { code, stderr } = await pull.finished()
    expect({ code, said: /run it again/.test(stderr) }).toEqual({ code: 130, said: true })
  },
)
