/** A typing user gets the program's echo whatever the daemon does, and nothing is lost however the client ends. */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, daemonPid, needed, output, shellTerminal, startBox } from './support.ts'

/** Numbers its input lines. Its terminal does not echo. */
const COUNT = `sh -c 'stty -echo; echo ready; n=0; while read -r line; do n=$((n+1)); echo "$n $line"; done'`

/** Waits until the only client of a terminal types into it directly. */
async function directClient(t: Scratch): Promise<number> {
  const direct = async (): Promise<number | undefined> => {
    const pid = (await box(t)).ptys[0]?.clients[0]?.pid
    return pid !== undefined && hasRing(pid) ? pid : undefined
  }
  return waitUntil(direct, 'a client with a line of its own')
}

function hasRing(pid: number): boolean {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).some((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).endsWith('.ring')
    } catch {
      return false
    }
  })
}

/** `coop attach` in a terminal whose other side is two pipes. */
const attached = (t: Scratch) =>
  Bun.spawn(asInvoker(t.invoker, ['script', '-qfc', `${coopPath()} attach box`, '/dev/null']), {
    cwd: t.workspace,
    env: { ...t.env },
    stdin: 'pipe',
    stdout: 'pipe',
  })

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) throw new Error('there is no such process')
  process.kill(pid, signal)
}

const isStopped = (pid: number): boolean => /^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

async function stop(pid: number | undefined): Promise<number> {
  send(pid, 'SIGSTOP')
  await waitUntil(() => isStopped(pid ?? 0), 'a stopped process')
  return pid ?? 0
}

const logs = async (t: Scratch): Promise<string[]> =>
  output(await t.coop(['logs', 'box']))
    .split(/\r?\n/)
    .filter((line) => /^\d+ /.test(line))

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(
    `a user can type while the daemon is stopped, and the daemon learns all of it later${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: COUNT })
      const terminal = await t.coopTerminal(['attach', 'box'])
      await terminal.waitFor(/ready/)
      await directClient(t)
      const daemon = await stop(await daemonPid(t))
      try {
        await terminal.line('one')
        await terminal.waitFor(/1 one/)
        await terminal.line('two')
        await terminal.waitFor(/2 two/)
      } finally {
        send(daemon, 'SIGCONT')
      }
      expect(await logs(t)).toEqual(['1 one', '2 two'])
      expect(await terminal.screen()).toMatch(/^ready\n1 one\n2 two\n*$/)
    },
  )

  test.skipIf(can.missing)(
    `a read-only client goes through the daemon, and cannot type${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: COUNT })
      const watcher = await t.coopTerminal(['attach', 'box', '--readonly'])
      await watcher.waitFor(/ready/)
      const pid = await waitUntil(async () => (await box(t)).ptys[0]?.clients[0]?.pid, 'the client')
      await watcher.line('no')
      const second = await t.coopTerminal(['attach', 'box'])
      await second.waitFor(/ready/)
      await second.line('yes')
      await watcher.waitFor(/1 yes/)
      expect(hasRing(pid)).toBe(false)
      expect(await logs(t)).toEqual(['1 yes'])
    },
  )

  test.skipIf(can.missing)(`two typing clients both see everything${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: COUNT })
    const first = await t.coopTerminal(['attach', 'box'])
    await first.waitFor(/ready/)
    await first.line('one')
    await first.waitFor(/1 one/)
    const second = await t.coopTerminal(['attach', 'box'])
    await second.waitFor(/1 one/)
    for (let i = 2; i < 12; i += 2) {
      await first.line('left')
      await second.waitFor(new RegExp(`^${i} left$`, 'm'))
      await second.line('right')
      await first.waitFor(new RegExp(`^${i + 1} right$`, 'm'))
    }
    expect(await first.screen()).toBe(await second.screen())
  })

  test.skipIf(can.missing)(
    `a client that is stopped while its user types delays nothing${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const agent = `sh -c 'echo ready; read -r line; n=0; while sleep 0.01; do n=$((n+1)); echo "$n said"; done'`
      await startBox(t, { agent })
      // Not tmux's own child, which tmux would continue.
      const terminal = await shellTerminal(t, 'coop attach box; cat')
      await terminal.waitFor(/ready/)
      const pid = await directClient(t)
      await terminal.line('go')
      await terminal.waitFor(/^3 said/m)
      await stop(pid)
      const before = (await logs(t)).length
      await waitUntil(async () => (await logs(t)).length > before + 20, 'more output')
      send(pid, 'SIGCONT')
      const last = (await logs(t)).at(-1) ?? ''
      await terminal.waitFor(new RegExp(`^${last}$`, 'm'))
      const shown: string[] = (await terminal.screen({ history: true })).match(/^\d+ said$/gm) ?? []
      expect(shown).toEqual(shown.map((_, i) => `${i + 1} said`))
    },
  )

  test.skipIf(can.missing)(`everything arrives in the order in which it was typed${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: `sh -c 'stty raw -echo; echo ready; exec tee typed'` })
    const client = attached(t)
    await directClient(t)
    // An unfinished key needs another way of waiting: the client gives up the direct line, and takes it again.
    const typed = Array.from({ length: 5_000 }, (_, i) => (i % 10 ? `${i},` : `${i}\x1b`))
    for (const text of typed) {
      client.stdin.write(text)
      await client.stdin.flush() // each alone, some while the one before is on its way
    }
    const got = (): string => readFileSync(join(t.workspace, 'typed'), 'latin1')
    await waitUntil(() => got().length >= typed.join('').length, 'all of it')
    expect(got()).toBe(typed.join(''))
    client.kill('SIGKILL')
    await client.exited
  })

  test.skipIf(can.missing)(
    `a terminal that takes nothing for a while gets all of it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: `sh -c 'stty -echo; echo ready; read -r line; seq 0 30000; cat'` })
      const client = attached(t)
      await directClient(t)
      client.stdin.write('go\r')
      await client.stdin.flush()
      await waitUntil(
        async () => (await t.coop(['logs', 'box', '-n', '1'])).stdout.trim() !== 'ready',
        'output',
      )
      let shown = ''
      for await (const bytes of client.stdout) {
        shown += Buffer.from(bytes).toString('latin1')
        if (/^30000\r$/m.test(shown)) break
      }
      client.kill('SIGKILL')
      await client.exited
      // The first line follows the sequences that draw the screen.
      const numbers: string[] = shown.match(/^[1-9]\d*(?=\r$)/gm) ?? []
      expect(numbers).toEqual(Array.from({ length: 30_000 }, (_, i) => `${i + 1}`))
    },
  )

  test.skipIf(can.missing)(
    `a client that is killed while its user types loses no output${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: COUNT.replace('; echo', '; sleep 0.005; echo') })
      let typed = 0
      for (let round = 0; round < 8; round++) {
        const terminal = await t.coopTerminal(['attach', 'box'], { rows: 60 })
        await terminal.waitFor(round ? new RegExp(`^${typed} x`, 'm') : /ready/)
        const pid = await directClient(t)
        await terminal.text('x\r'.repeat(40))
        await terminal.waitFor(new RegExp(`^${typed + 1 + 4 * round} x`, 'm'))
        send(pid, 'SIGKILL')
        await terminal.exited()
        await waitUntil(async () => (await box(t)).clients === 0, 'the end of the client')
        // Input that the client had not passed on was lost with it, as with any terminal.
        const lines = await waitUntil(async () => {
          const now = await logs(t)
          return now.at(-1) === (await logs(t)).at(-1) ? now : undefined
        }, 'silence')
        typed = lines.length
        expect(lines).toEqual(lines.map((_, i) => `${i + 1} x`))
      }
    },
  )
})
