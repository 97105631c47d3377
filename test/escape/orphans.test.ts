/**
 * Processes and boxes after a kill. No process outlives its box. An agent's box outlives the
 * client, the daemon and the zygote, and the next daemon adopts it.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findLeftovers } from '../harness/leftovers.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { needed, said, startBox } from './support.ts'

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
/** Host pids of box processes with these words in their arguments. */
const running = (t: Scratch, words: string) =>
  findLeftovers(t.root).flatMap(({ pid, description }) =>
    pid && description.endsWith(`): ${words}`) ? [pid] : [],
  )
const gone = (t: Scratch, words: string) =>
  waitUntil(() => running(t, words).length === 0 && folders(t).length === 0, `the end of ${words}`)

/** A process that tries everything to stay: its own session, no parent, no signals. */
const stubborn = (words: string) =>
  `(setsid sh -c "trap '' HUP TERM INT; exec ${words}" &) </dev/null >/dev/null 2>&1`

function zygoteOf(pid: number): number {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return Number(child)
}

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: such a process outlives its parent', async () => {
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
    test.skipIf(box.missing)(
      `no process outlives the client of a run that ends by ${signal}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const script = `${stubborn('sleep 4203')}; echo up; exec sleep 4203`
        const client = t.startCoop(['run', '--', 'sh', '-c', script])
        await client.waitFor(/up/)
        await waitUntil(() => running(t, 'sleep 4203').length === 2, 'both')
        client.kill(signal)
        await gone(t, 'sleep 4203')
      },
    )
  }

  test.skipIf(box.missing)(`no process outlives a box that is ended${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', stubborn('sleep 4204')]))
    await waitUntil(() => running(t, 'sleep 4204').length === 1, 'the process')
    said(await t.coop(['kill', '-f', 'box']))
    await gone(t, 'sleep 4204')
  })

  for (const victim of ['daemon', 'zygote', 'both'] as const) {
    test.skipIf(box.missing)(
      `boxes outlive their ${victim}, and a run ends with its client${box.note}`,
      async () => {
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
        const run = running(t, 'sleep 4206')
        expect(agent).toHaveLength(1)
        expect(run).toHaveLength(2)
        if (victim !== 'zygote') process.kill(pid, 'SIGKILL')
        if (victim !== 'daemon') process.kill(zygote, 'SIGKILL')
        // Neither stays without the other.
        const alive = () => findLeftovers(t.root).some((left) => left.pid === pid || left.pid === zygote)
        await waitUntil(() => !alive(), 'their end')
        expect(running(t, 'sleep 4205')).toEqual(agent)
        expect(said(await t.coop(['exec', '-n', 'box', '--', 'echo', 'adopted']))).toBe('adopted\n')
        expect((await daemon(t)).pid).not.toBe(pid)
        expect(running(t, 'sleep 4206')).toEqual(run)
        client.kill('SIGKILL')
        await waitUntil(() => running(t, 'sleep 4206').length === 0, 'the end of the run')
        expect(running(t, 'sleep 4205')).toEqual(agent)
        await waitUntil(async () => (await daemon(t)).boxes === 1, 'the end of its box')
      },
    )
  }
})
