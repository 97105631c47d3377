/**
 * A box whose daemon is killed while making it. The box belongs to nobody, and the next daemon
 * removes it: no process, no folder, no mount stays. The control is in orphans.test.ts: a whole box stays.
 */
import { describe, expect, test } from 'bun:test'
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findLeftovers } from '../harness/leftovers.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { needed, said, startBox } from './support.ts'

const ROUNDS = 15
const ROUND_MS = 90 // with a running daemon, a box is whole sooner than this

async function daemonPid(t: Scratch): Promise<number> {
  return (JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }).pid
}

/** Folders of boxes, on disk and of sockets. */
const folders = (t: Scratch) =>
  [join(t.dataDir, 'boxes'), join(t.runtimeDir, 'boxes')].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder) : [],
  )
const isGone = (t: Scratch) =>
  folders(t).length === 0 &&
  !findLeftovers(t.root).some(({ description }) => description.endsWith(': sleep 4207'))

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `a box that was half made when the daemon died leaves nothing${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const codes: (number | null)[] = []
      for (let round = 0; round < ROUNDS; round++) {
        await t.coop(['ls'])
        const pid = await daemonPid(t)
        const client = t.startCoop(['run', '--', 'sleep', '4207'])
        // Every second kill happens during the creation itself, the others at any time, also before and after it.
        if (round % 2) await waitUntil(() => folders(t).length > 0, 'the folder of the box')
        await Bun.sleep((Math.random() * ROUND_MS) / (round % 2 ? 9 : 1)) // the test must cover every moment
        process.kill(pid, 'SIGKILL')
        client.kill('SIGKILL')
        codes.push((await client.finished()).code)
        await t.coop(['ls'])
        await waitUntil(() => isGone(t), 'the end of the box')
      }
      expect(codes).toHaveLength(ROUNDS)
      expect(findLeftovers(t.root).filter(({ pid }) => pid === undefined)).toEqual([])
      // The name is free again, and a box can be made.
      expect(said(await t.coop(['run', '--', 'echo', 'well']))).toBe('well\n')
      await t.coop(['system', 'shutdown'])
      const nothing = () => findLeftovers(t.root).length === 0
      await waitUntil(
        nothing,
        () => `an end of everything: ${JSON.stringify(findLeftovers(t.root), null, 1)}`,
      )
    },
  )

  test.skipIf(box.missing)(`a box without a manifest is removed, too${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const folder of ['boxes', 'boxes/half']) {
      mkdirSync(join(t.dataDir, folder))
      chownSync(join(t.dataDir, folder), invoker.uid, invoker.gid)
    }
    await t.coop(['ls'])
    await waitUntil(() => folders(t).length === 0, 'a folder that holds nothing to go')
    await startBox(t, 'half')
  })
})
