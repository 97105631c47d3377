/** Logins with and without XDG_RUNTIME_DIR: a desktop, and cron, su and some of ssh. Their boxes are the same. */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary, solo } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { daemonsOf, expectRefusal, isAlive, needed, output } from './support.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The two logins in both orders, and the end of everything that they started. */
class Logins implements AsyncDisposable {
  readonly desktop: Env
  readonly cron: Env = { COOP_RUNTIME_DIR: undefined }
  constructor(readonly t: Scratch) {
    this.desktop = { COOP_RUNTIME_DIR: undefined, XDG_RUNTIME_DIR: t.folder('x', 0o700) }
  }
  coop(env: Env, ...args: readonly string[]): Promise<RunResult> {
    return this.t.coop(args, { env })
  }
  async start(env: Env): Promise<{ readonly daemon: number; readonly init: number }> {
    output(await this.coop(env, '-d', '-n', 'box', '--agent', 'sleep infinity'))
    const status = JSON.parse(output(await this.coop(env, 'status', '--json'))) as { init: { pid: number } }
    const { pid } = JSON.parse(output(await this.coop(env, 'system', 'status', '--json'))) as { pid: number }
    return { daemon: pid, init: status.init.pid }
  }
  async killed(daemon: number): Promise<void> {
    process.kill(daemon, 'SIGKILL')
    await waitUntil(() => !isAlive(daemon), 'the end of the daemon')
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const env of [this.cron, this.desktop])
      for (const args of [
        ['kill', '--all', '-f'],
        ['system', 'shutdown'],
      ])
        await this.coop(env, ...args)
  }
}

const lockOf = (t: Scratch) => join(t.dataDir, 'daemon.lock')

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  for (const [first, second] of [
    ['desktop', 'cron'],
    ['cron', 'desktop'],
  ] as const) {
    test.skipIf(can.missing)(`${second} finds the daemon of ${first}${can.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      await using logins = new Logins(t)
      const { daemon, init } = await logins.start(logins[first])
      const other = logins[second]
      expect(output(await logins.coop(other, 'ls'))).toMatch(/box .*running/)
      expect(output(await logins.coop(other, 'exec', '-n', 'box', 'echo', 'inside'))).toBe('inside\n')
      expect(output(await t.coop(['run', 'cat'], { env: other, stdin: 'piped' }))).toBe('piped')
      expect(output(await logins.coop(other, '__complete', 'attach', ''))).toMatch(/^box\t/)
      expect(output(await logins.coop(other, 'system', 'status'))).toMatch(RegExp(`^pid +${daemon}$`, 'm'))
      expect(daemonsOf(t)).toEqual([daemon])
      // Boxes outlive their daemon, and what the other login does then. The user's word counts, and is refused in time.
      await logins.killed(daemon)
      expectRefusal(await t.coop(['ls']), { code: 4, sentence: /another login/, hint: /COOP_RUNTIME_DIR=/ })
      expect(isAlive(init)).toBe(true)
      expect(output(await logins.coop(other, 'exec', '-n', 'box', 'echo', 'inside'))).toBe('inside\n')
      expect(output(await logins.coop(logins[first], 'ls'))).toMatch(/box .*running/)
      expect(daemonsOf(t)).toHaveLength(1)
      expect(isAlive(init)).toBe(true)
      // A lock that nobody holds sends nobody away.
      output(await logins.coop(other, 'kill', '--all', '-f'))
      await logins.killed(daemonsOf(t)[0] ?? -1)
      expect(output(await logins.coop(other, 'run', 'echo', 'works'))).toBe('works\n')
      expect(readFileSync(lockOf(t), 'utf8')).toContain(second === 'cron' ? join(t.dataDir, 'run') : 'x/coop')
      output(await logins.coop(logins[first], 'system', 'shutdown'))
      await waitUntil(() => daemonsOf(t).length === 0, 'the end of the daemon')
    })
  }

  test.skipIf(can.missing)(`first callers of both at once start one daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await using logins = new Logins(t)
    const calls = Array.from({ length: 10 }, (_, n) =>
      logins.coop(n % 2 ? logins.cron : logins.desktop, 'run', 'echo', `${n}`),
    )
    const results = await Promise.all(calls)
    expect(results.map(({ stdout, stderr }) => stdout + stderr)).toEqual(results.map((_, n) => `${n}\n`))
    const log = readFileSync(join(t.dataDir, 'logs/daemon.log'), 'utf8')
    expect(log.split('"event":"start"')).toHaveLength(2)
  })
})

const can = needed(ordinary)

test.skipIf(can.missing)(`a daemon in a folder that others may have is not asked${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  await using logins = new Logins(t)
  const { daemon } = await logins.start(logins.desktop)
  const folder = join(t.root, 'x/coop')
  const link = join(t.root, 'x/link')
  const lock = readFileSync(lockOf(t), 'utf8')
  // The daemon still holds the lock, so that no other one starts.
  const refused = async () => {
    const refusal = { code: 4, sentence: /another login/, hint: /COOP_RUNTIME_DIR=/ }
    expectRefusal(await logins.coop(logins.cron, 'ls'), refusal)
    expect(existsSync(join(t.dataDir, 'run/daemon.sock'))).toBe(false)
  }
  symlinkSync(folder, link)
  writeFileSync(lockOf(t), lock.replace(folder, link))
  await refused()
  writeFileSync(lockOf(t), lock)
  chmodSync(folder, 0o755)
  await refused()
  chmodSync(folder, 0o700)
  if (solo && process.getuid?.() === 0) {
    chownSync(folder, solo.uid, solo.gid)
    await refused()
    chownSync(folder, ordinary.uid, ordinary.gid)
  }
  // Positive control: the same folder in order.
  const status = output(await logins.coop(logins.cron, 'system', 'status'))
  expect(status).toMatch(RegExp(`^pid +${daemon}$`, 'm'))
})
