/** Boxes that are stopped and started, also when parts of coop's own state go away meanwhile. */
import { describe, expect, test } from 'bun:test'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
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

async function initOf(t: Scratch): Promise<number> {
  const { init } = JSON.parse(output(await t.coop(['status', '--json']))) as { init: { pid: number } }
  return init.pid
}

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
    expectRefusal(await t.coop(['exec', 'true']), {
      code: 125,
      sentence: /not running/,
      hint: /coop start box/,
    })
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
      t.write('coop.toml', '[env]\nNODE_ENV = "hello"\n')
      output(await t.coop(['start']))
      expect(output(await t.coop(['exec', '--', 'printenv', 'NODE_ENV']))).toBe('hello\n')
      output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(
    `starts at once are one start, and kill waits for it: no process is left${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const seeding = () => existsSync(join(t.dataDir, 'seeding'))
      // A volume that has to be filled first makes a start take its time.
      for (const [volume, kill] of [
        ['one', false],
        ['two', true],
      ] as const) {
        output(await t.coop(['stop', '-f', 'box']))
        t.settings(`[sandbox]\nmounts = ["${volume}:/usr/share/perl"]\n`)
        const starts = Array.from({ length: 3 }, () => t.coop(['start', 'box']))
        await waitUntil(seeding, 'the volume to be filled')
        if (kill) output(await t.coop(['kill', '-f', 'box']))
        // A start that comes after the kill finds no box.
        for (const { code } of await Promise.all(starts)) expect(kill ? [0, 3] : [0]).toContain(code ?? -1)
      }
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(
    `logs shows the last output of the agent of a stopped box${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, {
        agent: 'bash -c \'trap "echo bye; exit" TERM; echo hello $$; while :; do sleep 0.02; done\'',
      })
      const said = async (words: RegExp) => words.test(output(await t.coop(['logs'])))
      await waitUntil(() => said(/hello/), 'its first words')
      output(await t.coop(['stop']))
      expect(output(await t.coop(['logs', '-f']))).toMatch(/^hello \d+\n(Terminated\n)?bye\n/)
      process.kill((await daemonPid(t)) ?? -1, 'SIGKILL')
      expect(await said(/^hello \d+\n(Terminated\n)?bye\n/)).toBe(true)
      // Output from before a start is not the box's last output.
      output(await t.coop(['start']))
      await waitUntil(() => said(/hello/), 'its first words')
      expect(await said(/bye/)).toBe(false)
      // Without a daemon that could see the end, as after a restart of the machine.
      const init = await initOf(t)
      process.kill((await daemonPid(t)) ?? -1, 'SIGKILL')
      process.kill(init, 'SIGKILL')
      expect(await said(/^hello \d+\n$/)).toBe(true)
      expect(await box(t)).toMatchObject({ state: 'stopped', reason: 'its init was killed' })
      // The runtime folder may be gone after that, too.
      rmSync(join(t.dataDir, 'boxes/box/agent-output'))
      expectRefusal(await t.coop(['logs']), { code: 1, sentence: /is stopped \(/, hint: /coop start box/ })
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

  test.skipIf(can.missing)(`the error for a missing workspace has a hint${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const folder = t.folder('home/gone')
    output(await t.coop(['-d', '-n', 'box', '-w', folder, '--agent', 'sleep infinity']))
    const refused = async (command: string): Promise<void> =>
      expectRefusal(await t.coop([command, 'box']), {
        code: 1,
        sentence: /the workspace .*home\/gone does not exist/,
        hint: /put the folder back.*coop kill box/,
      })
    renameSync(folder, `${folder}-away`)
    await refused('restart')
    expect(await box(t)).toMatchObject({ state: 'running' })
    output(await t.coop(['stop', 'box']))
    await refused('start')
    // Another folder of that name is not the accepted one.
    t.folder('home/gone')
    expectRefusal(await t.coop(['start', 'box']), {
      code: 1,
      sentence: /the workspace .*home\/gone, which was replaced since the box was made/,
      hint: /coop trust -w \S+gone; .*--trust/,
    })
    const wanted = JSON.parse(output(await t.coop(['trust', '-w', folder, '--json'])))
    expect(wanted.asks).toEqual([
      { key: expect.any(String), sentence: expect.stringMatching(/^use the workspace/), accepted: false },
    ])
    rmSync(folder, { recursive: true })
    renameSync(`${folder}-away`, folder)
    output(await t.coop(['start', 'box']))
    // The user's acceptance holds for the folder that is there.
    output(await t.coop(['stop', 'box']))
    renameSync(folder, `${folder}-away`)
    t.write(join(folder, 'new'), 'x')
    output(await t.coop(['start', 'box', '--trust']))
    expect(output(await t.coop(['exec', '-n', 'box', '--', 'ls']))).toBe('new\n')
    output(await t.coop(['trust', 'revoke', folder]))
    output(await t.coop(['stop', 'box']))
    output(await t.coop(['start', 'box'])) // it is the folder of the box's last start
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

  test.skipIf(tmux.missing)(`stop ends attached clients with a hint${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const open = (command: string) => shellTerminal(t, `coop ${command}; echo "CODE $?"; cat`)
    const [agent, bash, command, pipes] = [
      await open('attach'),
      await open('shell'),
      await open('exec yes'), // whose client never gets all of it
      await open('exec sh -c "echo on; exec sleep 1000" </dev/null'),
    ]
    await pipes.waitFor(/^on$/m)
    await waitUntil(async () => (await box(t)).clients === 3, 'the clients')
    output(await t.coop(['stop', '-f']))
    const stopped = /the box box was stopped; start it again: coop start box\]\nCODE (0|137)/
    expect(await agent.waitFor(stopped)).toMatch(/CODE 0/)
    expect(await bash.waitFor(stopped)).toMatch(/CODE 137/)
    await command.waitFor(/the box box was stopped \[E_BOX_STATE\]\nhint: coop start box\nCODE 137/)
    await pipes.waitFor(/the box box was stopped \[E_BOX_STATE\]\nhint: coop start box\nCODE 137/)
  })

  test.skipIf(tmux.missing)(`an init that is killed stops the box, with a message${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const terminal = await t.coopTerminal(['attach'])
    await waitUntil(async () => (await box(t)).clients === 1, 'the client')
    process.kill(await initOf(t), 'SIGKILL')
    await terminal.waitFor(/the box box was stopped \(its init was killed\); start it again: coop start box/)
    // If no daemon saw it, the next one reports it.
    output(await t.coop(['start']))
    const again = await shellTerminal(t, 'coop shell; echo "CODE $?"; cat')
    await again.waitFor(/[#$]$/m)
    const [init, daemon] = [await initOf(t), (await daemonPid(t)) ?? -1]
    process.kill(daemon, 'SIGSTOP')
    process.kill(init, 'SIGKILL')
    process.kill(daemon, 'SIGKILL')
    await again.waitFor(
      /^coop: the box box is stopped \(its init was killed\) \[E_BOX_STATE\]\nhint: coop start box\nCODE 1/m,
    )
  })

  test.skipIf(can.missing)(
    `two clients that kill a box at once are both told that it is gone${can.note}`,
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

  test.skipIf(tmux.missing)(`a removed runtime folder does no harm${tmux.note}`, async () => {
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

  test.skipIf(can.missing)(`the next command finds the daemon again${can.note}`, async () => {
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
