/**
 * Descriptors that the first process of a box inherits (CVE-2024-21626).
 *
 * One open folder of the host is enough to leave any mount namespace with `openat`, and so is a working
 * directory below such a folder. The control inherits one without a box.
 */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readlinkSync } from 'node:fs'
import { coopPath } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, said, startBox } from './support.ts'

/** Number and target of each descriptor of the shell itself, listed by its child. */
const LIST = 'ls -l /proc/$$/fd; :'
/** Opens folders of the host, as a careless terminal or editor leaves them open, then runs its arguments. */
const careless = (...command: string[]) => [
  'sh',
  '-c',
  'exec 3</ 7<"$HOME" 9<"$HOME"; exec "$@"',
  'sh',
  ...command,
]
const numbers = (listing: string) => [...listing.matchAll(/(\d+) -> /g)].map(([, fd]) => fd)

async function daemonDescriptors(t: Scratch): Promise<string[]> {
  const { pid } = JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return 'closed meanwhile'
    }
  })
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)
  const tmux = needs('tmux')

  test('positive control: a program without a box inherits folders of the host', async () => {
    await using t = await scratch(invoker, { git: false })
    const listing = (await t.run(careless('sh', '-c', LIST))).stdout
    expect(numbers(listing)).toEqual(expect.arrayContaining(['3', '7', '9']))
    expect(listing).toContain(`7 -> ${t.home}\n`)
  })

  test.skipIf(box.missing)(`run passes nothing but 0, 1 and 2 on${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['ls']) // so that the scratch ends the daemon
    await t.coop(['system', 'shutdown'])
    const run = [coopPath(), 'run', '--', 'sh', '-c', LIST]
    // The first client starts the daemon, which must not keep them either; the second finds a daemon.
    for (const _ of ['first', 'second']) {
      const listing = said(await t.run(careless(...run)))
      expect(numbers(listing)).toEqual(['0', '1', '2'])
      expect(listing).not.toContain('-> /')
    }
    expect(await daemonDescriptors(t)).not.toContain(t.home)
  })

  test.skipIf(box.missing)(`a folder as standard input stays outside${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['ls'])
    const script = `ls /proc/self/fd/0/ 2>&1; ${LIST}`
    const run = ['sh', '-c', 'exec "$@" </', 'sh', coopPath(), 'run', '--', 'sh', '-c', script]
    expect(said(await t.run(run))).toMatch(/Not a directory[\s\S]*0 -> pipe:/)
  })

  test.skipIf(box.missing)(`an agent on its terminal and exec have 0, 1 and 2${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('list.sh', 'ls -l /proc/$PPID/fd >list\nmv list agent.txt\n')
    const script = t.write('agent.sh', "#!/bin/sh\nexec sh -c 'sh list.sh; exec sleep infinity'\n", 0o755)
    await startBox(t, 'box', script)
    const read = async () => (await t.run(['cat', 'agent.txt'])).stdout || undefined
    const agent = await waitUntil(read, 'what the agent wrote')
    expect(numbers(agent)).toEqual(['0', '1', '2'])
    expect(agent).toContain('0 -> /dev/pts/0')
    const listing = said(await t.run(careless(coopPath(), 'exec', '-n', 'box', '--', 'sh', '-c', LIST)))
    expect(numbers(listing)).toEqual(['0', '1', '2'])
  })

  test.skipIf(box.missing || tmux.missing)(`a shell has 0, 1 and 2${box.note}${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const terminal = await t.coopTerminal(['shell', 'box', '-c', 'sh'])
    await terminal.waitFor(/^[#$]/m)
    await terminal.line('ls -l /proc/$$/fd')
    // An interactive dash keeps a copy of its terminal as descriptor 10.
    const listing = await terminal.waitFor(/2 -> [\s\S]*^[#$]\s*$/m)
    expect(numbers(listing).filter((fd) => fd !== '10')).toEqual(['0', '1', '2'])
  })

  test.skipIf(box.missing)(`a working directory that is not in the box is refused${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const places = ['/proc/1/cwd', '/proc/1/root', t.home, t.dataDir, '/nowhere']
    for (const fd of [3, 4, 5, 6, 7, 8, 9, 10]) places.push(`/proc/self/fd/${fd}`)
    for (const cwd of places) {
      const run = await t.coop(['exec', '-n', 'box', '--cwd', cwd, '--', 'ls', '-a', '.', '..'])
      if (cwd === t.home) {
        // The parents of the workspace are there, with nothing else in them.
        expect(run.stdout).not.toContain('.gitconfig')
        continue
      }
      expect({ cwd, code: run.code, stdout: run.stdout }).toEqual({ cwd, code: 125, stdout: '' })
    }
  })

  test.skipIf(box.missing)(`a workspace at a magic link is refused${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const path of ['/proc/self/fd/3', '/proc/1/root', '/proc/self/cwd']) {
      t.write('coop.toml', `[workspace]\npath = "${path}"\n`)
      const run = await t.coop(['run', '--', 'ls', '..'])
      expect({ path, code: run.code, stdout: run.stdout }).toEqual({ path, code: 125, stdout: '' })
    }
  })
})
