/** Processes of the host: listing, signalling, /proc/PID/root, and `kill -1`. */
import { describe, expect, test } from 'bun:test'
import { readlinkSync } from 'node:fs'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, said, startBox } from './support.ts'

const isAlive = async (t: Scratch, pid: number) => (await t.run(['kill', '-0', `${pid}`])).code === 0

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: outside, the same user sees and signals the process', async () => {
    await using t = await scratch(invoker, { git: false })
    const victim = t.start(['sleep', 'infinity'])
    const pid = await victim.pid()
    expect(await isAlive(t, pid)).toBe(true)
    expect((await t.run(['ls', `/proc/${pid}/root/`])).stdout).toContain('usr')
    await t.run(['kill', '-9', `${pid}`])
    expect((await victim.finished()).signal).toBe('SIGKILL')
  })

  for (const network of ['host', 'none']) {
    const inMode = ['--network', network]

    test.skipIf(box.missing)(
      `no process of the host is there, with network ${network}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const victim = await t.start(['sleep', 'infinity']).pid()
        const script = `ls -d /proc/[0-9]* | tr '\\n' ' '; echo; for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; done | grep -c 'sleep infinit[y]'; ls /proc/${victim}/root; kill -9 ${victim}; :`
        const [listed = '', count] = (await inBox(t, `(${script}) 2>/dev/null`, inMode)).split('\n')
        for (const [, pid] of listed.matchAll(/\/proc\/(\d+)/g)) expect(Number(pid)).toBeLessThan(20)
        expect(count).toBe('0')
        expect(await isAlive(t, victim)).toBe(true)
      },
    )

    test.skipIf(box.missing)(
      `kill -1 ends only processes of the box, with network ${network}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const victim = await t.start(['sleep', 'infinity']).pid()
        await startBox(t, 'other')
        const before = (await t.coop(['system', 'status', '--json'])).stdout
        const all = 'for s in 15 2 1 9; do kill -$s -1; kill -$s 1; done; kill -19 1'
        await inBox(t, `trap '' TERM INT HUP; (${all}) 2>/dev/null; :`, inMode)
        expect(await isAlive(t, victim)).toBe(true)
        const pid = (status: string) => (JSON.parse(status) as { pid: number }).pid
        expect(pid((await t.coop(['system', 'status', '--json'])).stdout)).toBe(pid(before))
        expect(said(await t.coop(['exec', '-n', 'other', '--', 'echo', 'alive']))).toBe('alive\n')
      },
    )
  }

  test.skipIf(box.missing)(
    `a box has namespaces of its own, and a network by its mode${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const kinds = ['user', 'mnt', 'pid', 'uts', 'ipc', 'cgroup', 'net']
      const script = kinds.map((kind) => `readlink /proc/self/ns/${kind}`).join('; ')
      const ours = kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`))
      for (const network of ['host', 'none']) {
        const theirs = (await inBox(t, script, ['--network', network])).trim().split('\n')
        const shared = kinds.filter((_, at) => theirs[at] === ours[at])
        expect(shared).toEqual(network === 'host' ? ['net'] : [])
      }
    },
  )
})
