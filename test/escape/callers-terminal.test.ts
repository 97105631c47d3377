/**
 * The terminal that coop is called from. Any process that holds it can read the next typed input of a shell of the
 * host. A box has terminals of its own devpts instance, and the daemon has none at all.
 */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { needsAll } from '../harness/facts.ts'
import { findLeftovers } from '../harness/leftovers.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { needed } from './support.ts'

/** Field 7 of proc_pid_stat(5): the controlling terminal, 0 for none; field 6 is the session. */
function statOf(pid: number): { session: number; terminal: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { session: Number(fields[3]), terminal: Number(fields[4]) }
}

/** Device of each character device that a process holds, by its mount and number: \`mnt:rdev\`. */
function terminalsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      if (!/^\/dev\/(pts\/\d+|tty\d*|console)/.test(target)) return []
      const { stdout } = Bun.spawnSync(['stat', '-L', '-c', '%d:%t:%T', `/proc/${pid}/fd/${fd}`])
      return [stdout.toString().trim()]
    } catch {
      return [] // closed meanwhile
    }
  })
}

/** Processes of this test except the terminal's own: daemon, zygote, inits, and processes of boxes. */
const behind = (t: Scratch, terminal: readonly number[]): number[] =>
  findLeftovers(t.root).flatMap(({ pid }) => (pid && !terminal.includes(pid) ? [pid] : []))

async function daemonPid(t: Scratch): Promise<number> {
  return (JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }).pid
}

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker, 'tmux')
  const readable = needsAll({ tmux: !box.missing, 'root, to look': process.getuid?.() === 0 })

  test.skipIf(readable.missing)(
    `neither the daemon nor a box has the terminal that coop is called from${readable.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const terminal = await t.terminal(['sh'])
      await terminal.waitFor(/[$#]/)
      const shell = Number(await terminal.info('#{pane_pid}'))
      const [own = ''] = terminalsOf(shell)
      expect(own).not.toBe('')
      expect(statOf(shell).terminal).not.toBe(0) // the control: the host sees its own terminal
      const { coopPath } = await import('../harness/coop.ts')
      await terminal.line(`${coopPath()} -d -n box --agent 'sleep 2101'; echo sta''rted`)
      await terminal.waitFor(/started/)
      await terminal.line(
        `${coopPath()} run -t -- sh -c 'tty; readlink /proc/self/fd/0; echo in''side; sleep 2102'`,
      )
      await terminal.waitFor(/inside/)
      const seen = await terminal.screen()
      expect(seen).toContain('/dev/pts/0')
      const daemon = await daemonPid(t)
      const clients = findLeftovers(t.root).flatMap(({ pid, description }) =>
        pid && /coop run -t|tmux|: sh$/.test(description) ? [pid] : [],
      )
      const pids = behind(t, [shell, ...clients])
      expect(pids).toContain(daemon)
      expect(pids.length).toBeGreaterThan(4)
      expect(pids.filter((pid) => terminalsOf(pid).includes(own))).toEqual([])
      const session = statOf(shell).session
      expect(pids.filter((pid) => statOf(pid).session === session)).toEqual([])
      expect(statOf(daemon).terminal).toBe(0)
      expect(readlinkSync(`/proc/${daemon}/fd/0`)).toBe('/dev/null')
      await terminal.keys('C-c')
    },
  )

  test.skipIf(box.missing)(`the terminal can go away while daemon and box stay${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const terminal = await t.coopTerminal(['-d', '-n', 'box', '--agent', 'sleep infinity'])
    expect(await terminal.exited()).toBe(0)
    const daemon = await daemonPid(t)
    await terminal[Symbol.asyncDispose]()
    expect(await daemonPid(t)).toBe(daemon)
    expect((await t.coop(['exec', '-n', 'box', '--', 'echo', 'well'])).stdout).toBe('well\n')
  })
})
