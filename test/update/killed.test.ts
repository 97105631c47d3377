/** `coop update` and `--rollback` that are killed at each of their steps: an installed coop works, and the next update, too. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { littleCoop, ReleaseServer, TARGET } from '../install/releases.ts'
import { output } from '../integration/support.ts'
import { build, Installed, little } from './support.ts'

const AT_ONCE = 4
const ARCHIVE = `download/v2.0.0/coop-2.0.0-${TARGET}.zst`
const strace = needs('strace')
const release = little('2.0.0', { binary: littleCoop('2.0.0', 4 << 20) })

let folder: string
let program: string
beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/coop-killed-')
  chmodSync(folder, 0o755)
  program = join(folder, 'coop')
  await build('1.0.0', program)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An installed coop with a data folder of its own; the file is one for all. */
class Victim {
  readonly name: string
  readonly #it: Installed
  readonly path: string
  readonly folder: string
  readonly data: string

  constructor(it: Installed, name: string) {
    this.#it = it
    this.name = name
    const label = name.replaceAll(/\W+/g, '-')
    this.folder = it.t.folder(`home/${label}`)
    this.data = it.t.folder(`home/${label}-data`, 0o700)
    this.path = join(this.folder, 'coop')
    linkSync(it.path, this.path)
  }

  /** Runs it, or another program, under strace if its words are given. */
  run(words: readonly string[], strace: readonly string[] = [], program = this.path) {
    const env = this.#it.env({ COOP_DATA_DIR: this.data })
    return this.#it.t.run([...strace, program, ...words], { env, timeoutMs: 50_000 })
  }

  async version(): Promise<string> {
    return (await this.run(['--version'])).stdout.split(' ')[1] ?? ''
  }

  get leftovers(): readonly string[] {
    return readdirSync(this.folder).filter((name) => name !== 'coop')
  }

  get states(): readonly string[] {
    const releases = join(this.data, 'releases')
    return existsSync(releases) ? readdirSync(releases).toSorted() : []
  }

  get keptProgram(): string {
    return join(this.data, 'releases/previous/coop')
  }

  get kept(): string | undefined {
    const file = join(this.data, 'releases/previous/record.json')
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { kept: string }).kept : undefined
  }
}

async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const take = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, take))
}

/** What changes files. A process that is killed at the beginning of one of these has made all those before. */
const CALLS = ['mkdir', 'link', 'linkat', 'rename', 'fchmod', 'fsync', 'unlink', 'unlinkat', 'rmdir', 'write']
const SOME = 150 // of the writes, one in so many: each is a piece of the program

interface Step {
  /** The call and which of its kind it is: `rename 3`. */
  readonly at: string
  /** The program has been replaced before. */
  readonly isAfter: boolean
  /** The new program has a temporary name, for this one moment. */
  readonly isNamed: boolean
}

/** Every step of a run, in its order, as strace sees it. */
async function stepsOf(victim: Victim, words: readonly string[], program = victim.path): Promise<Step[]> {
  const log = join(victim.data, 'trace')
  const strace = ['strace', '-f', '-qq', '-o', log, '-e', `trace=${CALLS.join(',')}`]
  output(await victim.run(words, strace, program))
  const counts = new Map<string, number>()
  let main: string | undefined // strace counts for each thread
  const steps: Step[] = []
  let isAfter = false
  let isNamed = false
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, thread, call, rest] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? []
    main ??= thread
    if (call === undefined || rest === undefined || thread !== main) continue
    const count = (counts.get(call) ?? 0) + 1
    counts.set(call, count)
    if (call !== 'write' || count % SOME === 0) steps.push({ at: `${call} ${count}`, isAfter, isNamed })
    if (call === 'rename' && rest.includes(`, "${victim.path}")`)) [isAfter, isNamed] = [true, false]
    else if (call.startsWith('link') && rest.includes(`${victim.folder}/.coop-update-`)) isNamed = true
  }
  rmSync(log)
  return steps
}

const killedAt = (step: Step): string[] => {
  const [call, when] = step.at.split(' ')
  const inject = `inject=${call}:signal=KILL:when=${when}`
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject]
}

test.skipIf(strace.missing)(
  `an update killed at any step leaves a coop that works${strace.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(release)
    const it = new Installed(t, program, server)
    const steps = await stepsOf(new Victim(it, 'whole'), ['update'])
    expect(steps.length).toBeGreaterThan(20)
    expect(steps.filter(({ isAfter }) => isAfter).length).toBeGreaterThan(3)
    await each(steps, async (step) => {
      const { at, isAfter, isNamed } = step
      const victim = new Victim(it, at)
      expect([at, (await victim.run(['update'], killedAt(step))).code]).not.toEqual([at, 0])
      expect([at, await victim.version()]).toEqual([at, isAfter ? '2.0.0' : '1.0.0'])
      // A file beside it is whole, and there for the moment between its temporary name and the final one.
      expect([at, victim.leftovers.length]).toEqual([at, isNamed ? 1 : 0])
      if (!isAfter) output(await victim.run(['update']))
      else if (victim.kept === undefined) return // the new one is a little program, which cannot settle it
      expect([at, await victim.version()]).toEqual([at, '2.0.0'])
      expect([at, victim.leftovers, victim.kept]).toEqual([at, [], '1.0.0'])
      if (!isAfter) expect([at, ...victim.states]).toEqual([at, 'lock', 'previous', 'seen'])
    })
  },
)

test(`an update killed while it downloads leaves nothing`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(release)
  const it = new Installed(t, program, server)
  const archive = release.get(`coop-2.0.0-${TARGET}.zst`) ?? new Uint8Array()
  const places = ['latest/download/manifest.txt', 'latest/download/manifest.txt.sig', ARCHIVE, 'half of it']
  for (const place of places) {
    const asked = Promise.withResolvers<void>()
    const never = new Promise<Response>(() => {})
    const isHalf = place === 'half of it'
    server.publish(release)
    server.put(isHalf ? ARCHIVE : place, () => {
      asked.resolve()
      const half = new ReadableStream({
        start: (stream) => stream.enqueue(archive.subarray(0, archive.length / 2)),
      })
      return isHalf ? new Response(half) : never
    })
    const updating = t.start([it.path, 'update'], { env: it.env() })
    await asked.promise
    updating.kill('SIGKILL')
    await updating.process.exited
    expect([place, await it.version(), it.leftovers]).toEqual([place, '1.0.0', []])
  }
  server.publish(release)
  output(await it.update())
  expect(await it.version()).toBe('2.0.0')
})

test.skipIf(strace.missing)(
  `a rollback killed at any step leaves a coop that works${strace.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(release)
    const it = new Installed(t, program, server)
    const updated = async (name: string) => {
      const victim = new Victim(it, name)
      output(await victim.run(['update']))
      return victim
    }
    const BACK = ['update', '--rollback']
    const whole = await updated('whole')
    // Only names change here: the program is there already.
    const isName = ({ at }: Step) => /^(?:mkdir|link|rename|rmdir)/.test(at)
    const steps = (await stepsOf(whole, BACK, whole.keptProgram)).filter(isName)
    expect(steps.length).toBeGreaterThan(6)
    await each(steps, async (step) => {
      const { at, isAfter, isNamed } = step
      const victim = await updated(at)
      expect([at, (await victim.run(BACK, killedAt(step), victim.keptProgram)).code]).not.toEqual([at, 0])
      expect([at, await victim.version()]).toEqual([at, isAfter ? '1.0.0' : '2.0.0'])
      expect([at, victim.leftovers.length]).toEqual([at, isNamed ? 1 : 0])
      // Back, from wherever it was, and forth again.
      if (!isAfter) output(await victim.run(BACK, [], victim.keptProgram))
      else output(await victim.run(BACK))
      expect([at, await victim.version()]).toEqual([at, isAfter ? '2.0.0' : '1.0.0'])
      expect([at, victim.leftovers]).toEqual([at, []])
      expect([at, ...victim.states]).toEqual([at, 'lock', 'previous', 'seen'])
    })
  },
)
