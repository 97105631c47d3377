/** Boxes that are stopped and started, and what of coop's own state may go away under them. */
import { describe, expect, test } from 'bun:test'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import {
  box,
  boxes,
  daemonPid,
  expectRefusal,
  needed,
  nothingLeft,
  output,
  shellTerminal,
  startBox,
} from './support.ts'

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const tmux = needed(invoker, 'tmux')

  test.skipIf(can.missing)(`a stopped box keeps its files and runs nothing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    output(await t.coop(['exec', '--', 'sh', '-c', 'echo one >/opt/file; echo two >~/file; mkdir /etc/made']))
    output(await t.coop(['stop', '-f']))
    expect(await box(t)).toMatchObject({ state: 'stopped', ptys: [], clients: 0 })
    expect(existsSync(join(t.runtimeDir, 'boxes/box'))).toBe(false)
    expectRefusal(await t.coop(['logs']), { code: 1, sentence: /stopped/, hint: /coop start box/ })
    output(await t.coop(['start']))
    expect(await box(t)).toMatchObject({ state: 'running', ptys: [{ id: 0, state: 'running' }] })
    const files = await t.coop([
      'exec',
      '--',
      'sh',
      '-c',
      'cat /opt/file ~/file; test -d /etc/made && echo three',
    ])
    expect(output(files)).toBe('one\ntwo\nthree\n')
  })

  test.skipIf(can.missing)(
    `a stopped box outlives its daemon, and reads coop.toml anew${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      output(await t.coop(['stop', '-f']))
      process.kill((await daemonPid(t)) ?? -1, 'SIGKILL')
      expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'stopped', reason: 'coop stop' }])
      t.write('coop.toml', '[env]\nGREETING = "hello"\n')
      output(await t.coop(['start']))
      expect(output(await t.coop(['exec', '--', 'printenv', 'GREETING']))).toBe('hello\n')
      output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(
    `starting twice is no error; a start that fails keeps the files${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      output(await t.coop(['start']))
      output(await t.coop(['exec', '--', 'sh', '-c', 'echo kept >/opt/file']))
      output(await t.coop(['stop', '-f']))
      t.write('coop.toml', '[sandbox]\nimage = "rootfs:/nowhere"\n')
      expect((await t.coop(['start'])).code).not.toBe(0)
      expect(await box(t)).toMatchObject({ state: 'stopped' })
      rmSync(join(t.workspace, 'coop.toml'))
      output(await t.coop(['start']))
      expect(output(await t.coop(['exec', '--', 'cat', '/opt/file']))).toBe('kept\n')
    },
  )

  test.skipIf(can.missing)(`a box whose folder is gone says how to get it back${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const folder = t.folder('home/gone')
    output(await t.coop(['-d', '-n', 'box', '-w', folder, '--agent', 'sleep infinity']))
    const refused = async (command: string): Promise<void> =>
      expectRefusal(await t.coop([command, 'box']), {
        code: 1,
        sentence: /the workspace .*home\/gone does not exist/,
        hint: /put the folder back.*coop kill box/,
      })
    rmSync(folder, { recursive: true })
    await refused('restart')
    expect(await box(t)).toMatchObject({ state: 'running' })
    output(await t.coop(['stop', 'box']))
    await refused('start')
    t.folder('home/gone')
    output(await t.coop(['start', 'box']))
  })

  test.skipIf(tmux.missing)(`coop alone starts a stopped box and attaches${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: "sh -c 'echo hello from $$; exec sleep 1000'" })
    output(await t.coop(['stop', '-f']))
    const attach = await shellTerminal(t, 'coop attach; echo "CODE $?"; cat')
    await attach.waitFor(/is stopped \(coop stop\)[\s\S]*coop start box[\s\S]*CODE 1/)
    const terminal = await t.coopTerminal([])
    await terminal.waitFor(/hello from/)
    expect(await box(t)).toMatchObject({ state: 'running', clients: 1 })
  })

  test.skipIf(tmux.missing)(`stop ends who is attached, with a sentence${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const terminal = await shellTerminal(t, 'coop attach; echo "CODE $?"; cat')
    await waitUntil(async () => (await box(t)).clients === 1, 'the client')
    output(await t.coop(['stop', '-f']))
    await terminal.waitFor(/the box box has ended[\s\S]*CODE 0/)
  })

  test.skipIf(can.missing)(
    `two that kill a box at once are both told that it is gone${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const results = await Promise.all([
        t.coop(['kill', '-f']),
        t.coop(['kill', '-f']),
        t.coop(['stop', '-f']),
      ])
      expect(results.some(({ code }) => code === 0)).toBe(true)
      for (const { code } of results) expect([0, 3]).toContain(code ?? -1)
      if ((await boxes(t)).length) output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
    },
  )

  test.skipIf(tmux.missing)(`a runtime folder that is removed costs nothing${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: "sh -c 'while read line; do echo got-$line; done'" })
    const terminal = await t.coopTerminal(['attach'])
    await terminal.line('one')
    await terminal.waitFor(/got-one/)
    const pid = (await daemonPid(t)) ?? -1
    rmSync(t.runtimeDir, { recursive: true })
    await waitUntil(() => existsSync(join(t.runtimeDir, 'daemon.sock')), 'the daemon to notice')
    await waitUntil(() => existsSync(join(t.runtimeDir, 'boxes/box/init.sock')), 'the way to the box')
    expect(await daemonPid(t)).toBe(pid)
    process.kill(pid, 'SIGKILL') // the next one finds everything
    await terminal.line('two')
    await terminal.waitFor(/got-one[\s\S]*got-two/)
    expect(output(await t.coop(['logs', '-n', '1']))).toMatch(/got-two/)
    expect(output(await t.coop(['run', '--', 'echo', 'works']))).toBe('works\n')
  })

  test.skipIf(can.missing)(`the next command after that finds the daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const pid = await daemonPid(t)
    rmSync(t.runtimeDir, { recursive: true })
    const [run, ls] = await Promise.all([t.coop(['run', 'echo', 'works']), t.coop(['ls'])])
    expect(run).toMatchObject({ code: 0, stdout: 'works\n', stderr: '' })
    expect(ls).toMatchObject({ code: 0, stdout: expect.stringContaining('running') })
    expect(await daemonPid(t)).toBe(pid)
  })

  test.skipIf(can.missing)(
    `a login with another runtime folder is told where to look${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const env = { COOP_RUNTIME_DIR: t.folder('r2', 0o700) }
      expectRefusal(await t.coop(['ls'], { env }), {
        code: 4,
        sentence: /another login/,
        hint: /COOP_RUNTIME_DIR=/,
      })
      expect(await box(t)).toMatchObject({ state: 'running' })
    },
  )
})
