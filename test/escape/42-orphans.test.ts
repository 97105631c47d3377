/**
 * ESCAPE 42: what is left when something is killed: nothing outlives its box, and an agent's box outlives the
 * client, the daemon and the zygote, and is the next daemon's. A box that was half made is nobody's and goes.
 */
import { describe, expect, test } from 'bun:test'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findLeftovers } from '../harness/leftovers.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { needed, said, startBox } from './support.ts'

const ROUNDS = 15
const ROUND_MS = 90 // a box is whole before that, with a daemon that runs

interface Status {
  readonly pid: number
  readonly boxes: number
}
const daemon = async (t: Scratch): Promise<Status> =>
  JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as Status

const entries = (folder: string) => (existsSync(folder) ? readdirSync(folder) : [])
/** Folders of boxes, on disk and of sockets. */
const folders = (t: Scratch) => [
  ...entries(join(t.dataDir, 'boxes')),
  ...entries(join(t.runtimeDir, 'boxes')),
]
/** Numbers on the host of the processes of boxes with these words. */
const running = (t: Scratch, words: string) =>
  findLeftovers(t.root).flatMap(({ pid, description }) =>
    pid && description.endsWith(`): ${words}`) ? [pid] : [],
  )
const gone = (t: Scratch, words: string) =>
  waitUntil(() => running(t, words).length === 0 && folders(t).length === 0, `the end of ${words}`)

/** A process that does all it can to stay: its own session, no parent, no signals. */
const stubborn = (words: string) =>
  `(setsid sh -c "trap '' HUP TERM INT; exec ${words}" &) </dev/null >/dev/null 2>&1`

function zygoteOf(pid: number): number {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return Number(child)
}

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: such a process outlives what started it', async () => {
    await using t = await scratch(invoker, { git: false })
    await t.run(['sh', '-c', stubborn('sleep 4201')])
    const [pid = 0] = await waitUntil(() => {
      const found = running(t, 'sleep 4201')
      return found.length > 0 && found
    }, 'the process')
    process.kill(pid, 'SIGKILL')
  })

  test.skipIf(box.missing)(`nothing outlives the command of a box${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    said(await t.coop(['run', '--', 'sh', '-c', stubborn('sleep 4202')]))
    await gone(t, 'sleep 4202')
  })

  for (const signal of ['SIGKILL', 'SIGHUP'] as const) {
    test.skipIf(box.missing)(`nor the client of a run that ends by ${signal}${box.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      const script = `${stubborn('sleep 4203')}; echo up; exec sleep 4203`
      const client = t.startCoop(['run', '--', 'sh', '-c', script])
      await client.waitFor(/up/)
      await waitUntil(() => running(t, 'sleep 4203').length === 2, 'both')
      client.kill(signal)
      await gone(t, 'sleep 4203')
    })
  }

  test.skipIf(box.missing)(`nor a box that is ended${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', stubborn('sleep 4204')]))
    await waitUntil(() => running(t, 'sleep 4204').length === 1, 'the process')
    said(await t.coop(['kill', '-f', 'box']))
    await gone(t, 'sleep 4204')
  })

  for (const victim of ['daemon', 'zygote', 'both'] as const) {
    test.skipIf(box.missing)(`an agent's box outlives its ${victim}, a run does not${box.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, 'box', 'sleep 4205')
      const client = t.startCoop([
        'run',
        '--',
        'sh',
        '-c',
        `${stubborn('sleep 4206')}; echo up; exec sleep 4206`,
      ])
      await client.waitFor(/up/)
      const { pid } = await daemon(t)
      const zygote = zygoteOf(pid)
      const agent = running(t, 'sleep 4205')
      expect(agent).toHaveLength(1)
      if (victim !== 'zygote') process.kill(pid, 'SIGKILL')
      if (victim !== 'daemon') process.kill(zygote, 'SIGKILL')
      // Neither stays without the other, and the client learns of it.
      const alive = () => findLeftovers(t.root).some((left) => left.pid === pid || left.pid === zygote)
      await waitUntil(() => !alive(), 'their end')
      // Lost, or ended by a daemon that could still do so.
      expect([125, 137]).toContain((await client.finished()).code ?? 0)
      expect(running(t, 'sleep 4205')).toEqual(agent)
      expect(said(await t.coop(['exec', '-n', 'box', '--', 'echo', 'adopted']))).toBe('adopted\n')
      expect((await daemon(t)).pid).not.toBe(pid)
      await waitUntil(() => running(t, 'sleep 4206').length === 0, 'the end of the run')
      expect(running(t, 'sleep 4205')).toEqual(agent)
      expect((await daemon(t)).boxes).toBe(1)
    })
  }

  test.skipIf(box.missing)(
    `a box that was being made when the daemon died leaves nothing${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const codes: (number | null)[] = []
      for (let round = 0; round < ROUNDS; round++) {
        await t.coop(['ls'])
        const { pid } = await daemon(t)
        const client = t.startCoop(['run', '--', 'sleep', '4207'])
        // Every second one at a moment of the creation itself, the others at any, also before and after.
        if (round % 2) await waitUntil(() => folders(t).length > 0, 'the folder of the box')
        await Bun.sleep((Math.random() * ROUND_MS) / (round % 2 ? 9 : 1)) // what is tested is every moment
        process.kill(pid, 'SIGKILL')
        client.kill('SIGKILL')
        codes.push((await client.finished()).code)
        await t.coop(['ls'])
        await gone(t, 'sleep 4207')
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

  test.skipIf(box.missing)(`nor one that never got as far as its manifest${box.note}`, async () => {
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
