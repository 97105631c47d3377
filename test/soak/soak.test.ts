/** Output survives the daemon: a short soak test. `npm run soak` runs the whole one. */
import { describe, expect, test } from 'bun:test'
import { copyFileSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { needed } from '../integration/support.ts'
import { sequence, soak, soakInput } from './soak.ts'

const ROUNDS = Number(process.env.COOP_SOAK_ROUNDS ?? 12)
const SEED = 20_261_121

/** Two daemons may start at once; one of them ends by itself. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error
  }
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'script')
  test.skipIf(can.missing)(
    `a client shows every line once, however often the daemon is killed${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { wrong, lines } = await soak(t, {
        rounds: ROUNDS,
        random: sequence(SEED),
        harm: async (daemon) => {
          kill(daemon, 'SIGKILL')
        },
      })
      expect(wrong).toEqual([])
      expect(lines).toBeGreaterThan(ROUNDS)
    },
    600_000,
  )

  test.skipIf(can.missing)(
    `typed input arrives once, however often the daemon is killed${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { sent, got } = await soakInput(t, {
        rounds: ROUNDS,
        random: sequence(SEED),
        harm: async (daemon) => kill(daemon, 'SIGKILL'),
      })
      // A number that goes back arrived twice: some microseconds lie between writing it and noting that.
      const back = got.flatMap((number, at) => (Number(number) < Number(got[at - 1] ?? -1) ? [at] : []))
      const once = got.filter((number, at) => !got.slice(0, at).includes(number))
      expect(once).toEqual([...sent])
      expect(back.length).toBeLessThanOrEqual(Math.ceil(ROUNDS / 100))
    },
    600_000,
  )

  test.skipIf(can.missing)(
    `a daemon that is stopped and continued loses nothing${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const random = sequence(SEED)
      const { wrong } = await soak(t, {
        rounds: Math.ceil(ROUNDS / 4),
        random,
        harm: async (daemon) => {
          kill(daemon, 'SIGSTOP')
          await Bun.sleep(random() * 200)
          kill(daemon, 'SIGCONT')
        },
      })
      expect(wrong).toEqual([])
    },
    600_000,
  )

  test.skipIf(can.missing)(
    `one release after the other takes over, and the client shows every line once${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const program = join(t.root, 'coop')
      copyFileSync(coopPath(), program)
      const build = resolve(import.meta.dir, '../../scripts/build.mjs')
      let release = 0
      const { wrong } = await soak(t, {
        rounds: Math.ceil(ROUNDS / 6),
        random: sequence(SEED),
        program,
        harm: async () => {
          const version = `99.0.${++release}`
          // Beside the test, which has to keep reading: the daemon does not wait for a client that shows nothing.
          const building = Bun.spawn(['node', build, '--release', version, `${program}.new`], {
            stderr: 'inherit',
          })
          expect(await building.exited).toBe(0)
          renameSync(`${program}.new`, program)
          await t.run([program, 'ls'])
          const { stdout } = await t.run([program, 'system', 'status', '--json'])
          expect(stdout).toContain(version)
        },
      })
      expect(wrong).toEqual([])
    },
    600_000,
  )
})
