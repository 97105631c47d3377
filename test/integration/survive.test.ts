/** Commands and boxes outlive the daemon: `run`, `exec`, `logs -f`, an upgrade. */
import { describe, expect, test } from 'bun:test'
import { copyFileSync, readFileSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import {
  box,
  daemonPid,
  killDaemon,
  needed,
  nothingLeft,
  output,
  shell,
  startBox,
  startShell,
} from './support.ts'

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const script = needed(invoker, 'script')

  test.skipIf(can.missing)(`run gives its exit code although its daemon was killed${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = t.startCoop(['run', '--', 'sh', '-c', 'echo ready; read go; echo "got $go"; exit 7'])
    await run.waitFor(/ready/)
    await killDaemon(t)
    run.write('on\n')
    expect(await run.finished()).toMatchObject({ code: 7, stdout: 'ready\ngot on\n', stderr: '' })
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(
    `exec gives its exit code, too, and still forwards signals${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const command = 'trap "echo heard; exit 9" TERM; echo ready; while :; do read -t 1 x; done'
      const exec = t.startCoop(['exec', '--', 'bash', '-c', command])
      await exec.waitFor(/ready/)
      const first = await daemonPid(t)
      await killDaemon(t)
      await waitUntil(async () => (await daemonPid(t)) !== first, 'another daemon')
      await waitUntil(async () => {
        exec.kill('SIGTERM')
        return /heard/.test(exec.stdout)
      }, 'the trap')
      expect((await exec.finished()).code).toBe(9)
      expect(await box(t)).toMatchObject({ state: 'running', ptys: [{ id: 0 }] })
    },
  )

  test.skipIf(can.missing)(
    `300 MB pass through a pipe although the daemon was killed${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const cat = "coop run -- sh -c 'echo begun >&2; exec cat' 2>&3"
      const sums = `exec 3>&1; head -c 300000000 /dev/zero | tee >(sha256sum >../in) | ${cat} | sha256sum >../out`
      const copy = await startShell(t, sums)
      await copy.waitFor(/begun/)
      await killDaemon(t)
      expect((await copy.finished(60_000)).code).toBe(0)
      const sum = (name: string) => readFileSync(join(t.workspace, '..', name), 'utf8')
      expect(sum('out')).toBe(sum('in'))
    },
  )

  test.skipIf(script.missing)(`a terminal of run shows every line once${script.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const command = "coop run -- sh -c 'echo ready; read go; seq 1 20000; exit 5'"
    const run = await startShell(
      t,
      `script -qefc "${coopPath()}${command.slice(4)}" /dev/null; echo "CODE $?"`,
    )
    await run.waitFor(/ready/)
    await killDaemon(t)
    run.write('go\n')
    await run.waitFor(/CODE 5/)
    const numbers = run.stdout.split('\r\n').filter((line) => /^\d+$/.test(line))
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, n) => String(n + 1)))
  })

  test.skipIf(can.missing)(`logs -f continues with the next daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: "sh -c 'while read line; do echo got-$line; done'" })
    const logs = t.startCoop(['logs', '-f'])
    const say = async (word: string) => {
      const typing = `printf '${word}\\n\\035' | script -qfc '${coopPath()} attach' /dev/null >/dev/null`
      await shell(t, typing)
    }
    await say('one')
    await logs.waitFor(/got-one/)
    await killDaemon(t)
    await say('two')
    await logs.waitFor(/got-two/)
    expect(logs.stdout.match(/got-one/g)).toHaveLength(1)
    output(await t.coop(['kill', '-f']))
    expect((await logs.finished()).code).toBe(0)
  })

  test.skipIf(can.missing)(`a command whose client died is ended by the next daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = t.startCoop(['run', '--', 'sh', '-c', 'echo ready; exec sleep 1000'])
    await run.waitFor(/ready/)
    const pid = (await daemonPid(t)) ?? -1
    process.kill(pid, 'SIGSTOP') // so that it does not see its client end
    run.kill('SIGKILL')
    await run.process.exited
    process.kill(pid, 'SIGKILL')
    output(await t.coop(['ls']))
    await waitUntil(
      async () => {
        const { stdout } = await t.coop(['system', 'status', '--json'])
        return stdout.includes('"boxes": 0')
      },
      'the end of the box',
      15_000,
    )
    await nothingLeft(t)
  })

  test.skipIf(script.missing)(
    `a newer coop takes over, and clients do not notice${script.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const here = join(t.root, 'coop')
      copyFileSync(coopPath(), here)
      const coop = (...args: string[]) => t.run([here, ...args])
      const version = async () => {
        const { stdout } = await coop('system', 'status', '--json')
        return (JSON.parse(stdout) as { version: string }).version
      }
      await t.coop(['system', 'status']) // makes the scratch end the rest
      const made = await coop(
        '-d',
        '-n',
        'box',
        '--agent',
        "sh -c 'while read line; do echo got-$line; done'",
      )
      expect(made.code).toBe(0)
      const run = t.start([here, 'run', '--', 'sh', '-c', 'echo ready; read go; exit 6'])
      await run.waitFor(/ready/)
      const attached = t.start(['script', '-qfc', `${here} attach box`, '/dev/null'])
      attached.write('one\n')
      await attached.waitFor(/got-one/)
      const before = await version()
      const build = resolve(import.meta.dir, '../../scripts/build.mjs')
      const built = Bun.spawnSync(['node', build, '--release', '99.0.0', `${here}.new`])
      expect(built.exitCode).toBe(0)
      renameSync(`${here}.new`, here)
      expect(before).not.toBe('99.0.0')
      expect(await version()).toBe(before) // read-only commands change nothing
      expect((await coop('ls')).code).toBe(0)
      expect(await version()).toBe('99.0.0')
      attached.write('two\n')
      await attached.waitFor(/got-two/)
      run.write('go\n')
      expect((await run.finished()).code).toBe(6)
      // The old one does not take it back, and its client gets a hint.
      const old = await t.coop(['attach', 'box'])
      expect(old.code).not.toBe(0)
      expect(await version()).toBe('99.0.0')
    },
  )
})
