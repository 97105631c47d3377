/** `coop update` and `--rollback` while a box runs and clients are attached: nobody notices. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import type { Started } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { makeRelease, type Release, ReleaseServer } from '../install/releases.ts'
import { everyone, needed, output } from '../integration/support.ts'
import { build, Installed, little } from './support.ts'

let folder: string
let older: string
let newer: Release
beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/coop-live-')
  chmodSync(folder, 0o755)
  older = join(folder, 'older')
  const newest = join(folder, 'newer')
  await Promise.all([build('1.0.0', older), build('2.0.0', newest)])
  newer = makeRelease({ version: '2.0.0', binary: readFileSync(newest), packings: ['zstd'] })
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Counts, and answers what is typed in between.
const TICKS = 'i=0; while :; do i=$((i+1)); echo tick-$i.; sleep 0.02; done'
const AGENT = `sh -c '(${TICKS}) & while read line; do echo got-$line; done'`

/** A client whose output must have every tick once and in order. */
class Ticks {
  readonly #client: Started
  constructor(client: Started) {
    this.#client = client
  }
  get #numbers(): number[] {
    return [...this.#client.stdout.matchAll(/tick-(\d+)\./g)].map(([, number]) => Number(number))
  }
  /** Waits for more of them than there are. */
  async more(): Promise<void> {
    const goal = (this.#numbers.at(-1) ?? 0) + 10
    await waitUntil(
      () => (this.#numbers.at(-1) ?? 0) >= goal,
      () => `tick ${goal} after ${this.#client.stderr}`,
      20_000,
    )
    const numbers = this.#numbers
    const first = numbers[0] ?? 0
    expect(numbers).toEqual(numbers.map((_, index) => first + index))
  }
}

const daemonOf = async (it: Installed): Promise<{ version: string; boxes: number }> =>
  JSON.parse(output(await it.coop(['system', 'status', '--json'])))

/** A box and its clients, of the installed coop. */
async function busy(t: Scratch, it: Installed) {
  await t.coop(['system', 'status']) // makes the scratch end the rest
  output(await it.coop(['-d', '-n', 'box', '--agent', AGENT]))
  const attached = t.start(['script', '-qfc', `${it.path} attach box`, '/dev/null'])
  await attached.waitFor(/tick-\d+\./)
  const run = t.start([it.path, 'run', '--', 'sh', '-c', TICKS])
  await run.waitFor(/tick-\d+\./)
  const all = [new Ticks(attached), new Ticks(run)]
  return {
    attached,
    async goOn(word: string): Promise<void> {
      attached.write(`${word}\n`)
      await attached.waitFor(new RegExp(`got-${word}`), 20_000)
      for (const ticks of all) await ticks.more()
    },
  }
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)
  const script = needs('script')

  test.skipIf(can.missing || script.missing)(
    `a box and its clients go on through an update and back${can.note}${script.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using server = new ReleaseServer(newer)
      const it = new Installed(t, older, server)
      chmodSync(it.path, 0o750)
      const link = join(t.root, 'coop') // as a folder of PATH has it
      symlinkSync(it.path, link)
      const clients = await busy(t, it)
      await clients.goOn('before')
      const pid = () =>
        (JSON.parse(readFileSync(join(t.dataDir, 'boxes/box/box.json'), 'utf8')) as { init: { pid: number } })
          .init.pid
      const init = pid()
      const inode = it.inode

      const updated = await t.run([link, 'update'], { env: it.env(), timeoutMs: 60_000 })
      expect(output(updated)).toContain('the daemon is coop 2.0.0, too; boxes kept running\n')
      expect(await it.version()).toBe('2.0.0')
      expect(await daemonOf(it)).toMatchObject({ version: '2.0.0', boxes: 2 })
      await clients.goOn('updated')
      expect([it.mode, it.owner, it.leftovers]).toEqual([0o750, invoker.uid, []])
      expect(it.record).toMatchObject({ kept: '1.0.0', by: '2.0.0' })
      expect(output(await it.coop(['exec', '-n', 'box', 'echo', 'here']))).toBe('here\n')
      expect(output(await it.update())).toBe('coop 2.0.0 is installed already\n')

      server[Symbol.dispose]() // going back needs no network
      const asked = server.requests.length
      const back = JSON.parse(output(await it.update('--rollback', '--json')))
      expect(back).toMatchObject({ before: '2.0.0', version: '1.0.0', changed: true, daemon: '1.0.0' })
      expect(await it.version()).toBe('1.0.0')
      expect(it.inode).toBe(inode) // the very file
      await clients.goOn('back')
      expect(output(await it.coop(['ls']))).toMatch(/^box /m)
      expect(await daemonOf(it)).toMatchObject({ version: '1.0.0', boxes: 2 })
      await clients.goOn('stays')

      expect(output(await it.update('--rollback'))).toMatch(
        /^coop 2\.0\.0 is installed in .* \(was 1\.0\.0\)$/m,
      )
      await clients.goOn('again')
      expect(await daemonOf(it)).toMatchObject({ version: '2.0.0', boxes: 2 })
      expect(server.requests.length).toBe(asked)
      expect([it.mode, it.owner, it.leftovers, pid()]).toEqual([0o750, invoker.uid, [], init])
    },
  )
})

const can = needed(ordinary)

test.skipIf(can.missing)(
  `a release whose daemon does not start is taken back at once${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(little('3.0.0'))
    const it = new Installed(t, older, server)
    const clients = await busy(t, it)
    const result = await it.update()
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(
      /^coop: coop 3\.0\.0 does not work here: the coop daemon .*; coop 1\.0\.0 is back \[E_RELEASE\]$/m,
    )
    expect(await it.version()).toBe('1.0.0')
    await clients.goOn('after')
    expect(await daemonOf(it)).toMatchObject({ version: '1.0.0', boxes: 2 })
    expect([it.leftovers, it.record]).toEqual([[], undefined])
  },
)

test.skipIf(can.missing)(
  `a box that only the newer release can read is named when going back${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(newer)
    const it = new Installed(t, older, server)
    await t.coop(['system', 'status'])
    output(await it.update())
    for (const name of ['new', 'old'])
      output(await it.coop(['create', name, '-w', t.folder(`home/${name}`), '--agent', 'sleep 1000']))
    output(await it.coop(['system', 'shutdown']))
    const manifest = join(t.dataDir, 'boxes/new/box.json')
    const text = readFileSync(manifest, 'utf8')
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(text), version: 99 }))
    output(await it.coop(['ls'])) // a daemon runs
    const back = await it.update('--rollback')
    expect([back.code, back.stderr]).toEqual([
      0,
      'coop: coop 1.0.0 cannot read the box new: coop 2.0.0 has written it. It is left alone; to use it, go back: coop update --rollback\n',
    ])
    const listed = output(await it.coop(['ls', '-a']))
    for (const line of [/^new .* unknown \(coop 2\.0\.0\) /m, /^old .* running /m])
      expect(listed).toMatch(line)
    writeFileSync(manifest, text)
  },
)

test.skipIf(can.missing)(
  `the kept program puts itself back when the new one does not even start${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(little('2.0.0'))
    const it = new Installed(t, older, server)
    output(await it.update())
    writeFileSync(`${it.path}.new`, 'not a program')
    output(await t.run(['cp', `${it.path}.new`, it.path])) // it works no more
    rmSync(`${it.path}.new`)
    expect((await t.run([it.kept, 'update'])).stderr).toMatch(
      /kept for a rollback, and not the installed one/,
    )
    expect(output(await t.run([it.kept, 'update', '--rollback']))).toMatch(/^coop 1\.0\.0 is installed in /)
    expect(await it.version()).toBe('1.0.0')
    // A kept program that was changed is not believed.
    writeFileSync(it.kept, 'other')
    const changed = await it.update('--rollback')
    expect([changed.code, changed.stderr]).toEqual([1, expect.stringMatching(/the kept program was changed/)])
    expect(await it.version()).toBe('1.0.0')
  },
)

test.skipIf(can.missing)(`without a daemon none is started${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(little('2.0.0'))
  const it = new Installed(t, older, server)
  const change = JSON.parse(output(await it.update('--json')))
  expect(change).toEqual({
    before: '1.0.0',
    version: '2.0.0',
    changed: true,
    program: it.path,
    previous: it.kept,
    notes: ['Boxes are quicker.'],
  })
  expect((await t.run([it.kept, 'system', 'status', '--json'])).stdout).toContain('"running": false')
})
