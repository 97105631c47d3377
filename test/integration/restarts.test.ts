/** An ended agent starts again after a delay on the same terminal, but not for ever. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, boxes, expectRefusal, needed, nothingLeft, output, shellTerminal, startBox } from './support.ts'

/** Counts its starts in a file, then runs the rest. */
function agent(t: Scratch, rest: string): string {
  return t.write(
    'agent.sh',
    `#!/bin/sh\necho start >>starts\necho "run $(wc -l <starts) on $(tty)"\n${rest}\n`,
    0o755,
  )
}
const starts = (t: Scratch) => readFileSync(join(t.workspace, 'starts'), 'utf8').split('\n').length - 1
const settle = (t: Scratch, text: string) => t.write('coop.toml', `[session]\n${text}\n`)
async function becomes(t: Scratch, state: string): Promise<void> {
  await waitUntil(async () => (await box(t)).state === state, `the state ${state}`)
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(
    `an agent starts again on the same terminal, and clients stay attached${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      settle(t, 'restart_delay_ms = 200')
      await startBox(t, { agent: agent(t, 'read line; exit 3') })
      const terminal = await t.coopTerminal(['attach'])
      await terminal.waitFor(/run 1 on \/dev\/pts\/0/)
      await terminal.keys('Enter')
      await terminal.waitFor(/exit code 3[\s\S]*run 2 on \/dev\/pts\/0/)
      expect(await box(t)).toMatchObject({
        state: 'running',
        clients: 1,
        ptys: [{ id: 0, clients: [{ readonly: false }] }],
      })
      await terminal.keys('Enter')
      await terminal.waitFor(/run 3/)
    },
  )

  test.skipIf(can.missing)(`an agent does not start before the delay is over${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const delay = 700
    settle(t, `restart_delay_ms = ${delay}`)
    const stamp = 'date +%s%3N >>times; test $(wc -l <times) -gt 1 && exec sleep 1000'
    await startBox(t, { agent: agent(t, stamp) })
    await becomes(t, 'restarting')
    await waitUntil(() => starts(t) === 2, 'the second start')
    const times = () => readFileSync(join(t.workspace, 'times'), 'utf8').trim().split('\n').map(Number)
    await waitUntil(() => times().length === 2, 'the second time')
    const [first = 0, second = 0] = times()
    expect(second - first).toBeGreaterThanOrEqual(delay)
    expect(second - first).toBeLessThan(delay + 1000)
  })

  test.skipIf(can.missing)(
    `five ends within ten seconds stop it; restart tries again${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      settle(t, 'restart_delay_ms = 10')
      await startBox(t, { agent: agent(t, 'exit 9') })
      await becomes(t, 'crashed')
      expect(starts(t)).toBe(5)
      expect(output(await t.coop(['ls']))).toMatch(/^box .*crashed/m)
      expect((await box(t)).ptys[0]).toMatchObject({ state: 'crashed', exitCode: 9 })
      const terminal = await t.coopTerminal(['attach'])
      await terminal.waitFor(/run 5[\s\S]*5 times within 10 seconds[\s\S]*coop restart box/)
      expect(output(await t.coop(['restart']))).toContain('restart')
      await waitUntil(() => starts(t) === 10, 'five more starts')
      await becomes(t, 'crashed')
      await terminal.waitFor(/run 10[\s\S]*5 times/)
      // Everything else continues.
      expect(output(await t.coop(['exec', 'echo', 'alive']))).toBe('alive\n')
    },
  )

  test.skipIf(can.missing)(
    `an agent that ends with 0 ends the session; coop starts it again${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      settle(t, 'restart_delay_ms = 10')
      const script = `coop -n box --trust --agent '${agent(t, 'read line; exit 0')}'; echo "CODE $?"; read x; coop; echo OVER; cat`
      const terminal = await shellTerminal(t, script)
      await terminal.waitFor(/run 1/)
      await terminal.keys('Enter')
      expect(await terminal.waitFor(/CODE 0/)).toMatch(
        /\[coop: agent.sh has ended\.\n Start it again: coop restart box\./,
      )
      expect(await box(t)).toMatchObject({ state: 'ended', clients: 0 })
      expect(starts(t)).toBe(1)
      await terminal.keys('Enter')
      await terminal.waitFor(/run 2/)
      await terminal.keys('C-]')
      await terminal.waitFor(/OVER/)
      expect(await box(t)).toMatchObject({ state: 'running' })
    },
  )

  test.skipIf(can.missing)(
    `a shell ends as its user leaves it, whatever its last command did${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const terminal = await shellTerminal(t, 'coop -n box; echo "CODE $?"; cat')
      await terminal.waitFor(/bash runs in the box/)
      await terminal.line('exit 3')
      await terminal.waitFor(/bash has ended with exit code 3\.[\s\S]*CODE 0/)
      expect((await box(t)).state).toBe('ended')
    },
  )

  test.skipIf(can.missing)(
    `a crashed full-screen agent leaves a screen that can be read${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      settle(t, 'restart_delay_ms = 10')
      const wild = '\\033[?1049h\\033[2J\\033[5;9r\\033[?25l\\033[?1003h\\033[?1006h\\033[8m\\033[5;5Hhidden'
      await startBox(t, { agent: agent(t, `printf '${wild}'; kill -9 $$`), flags: ['--trust'] })
      await becomes(t, 'crashed')
      const terminal = await t.coopTerminal(['attach'])
      const screen = await terminal.waitFor(/agent.sh has ended 5 times within 10 seconds/)
      for (const way of ['logs', 'shell', 'restart', 'kill'])
        expect(screen).toMatch(new RegExp(`: +coop ${way} box`))
      expect(screen).toContain('Ctrl+] leaves')
      expect(await terminal.modes()).toMatchObject({ alternate: false, cursorShown: true, mouse: false })
      expect(await terminal.screen({ escapes: true })).not.toMatch(/\x1b\[8m[^\x1b]*ended/)
    },
  )

  test.skipIf(can.missing)(`an agent whose program is not in the box is refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const program of [
      'nosuchprogram',
      '/no/such/program with words',
      './none.sh',
      t.write('f', 'not executable'),
    ])
      expectRefusal(await t.coop(['-d', '--agent', program]), {
        code: 1,
        sentence: new RegExp(`no program ${program.split(' ')[0]} in the box`),
        hint: /--agent/,
      })
    await nothingLeft(t)
    expect(await boxes(t)).toEqual([])
  })

  test.skipIf(can.missing)(
    `an agent in the box's own files is started, and reported when it is missing${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const named = (agent: string) => t.settings(`[sandbox]\nagent = "${agent}"\n`)
      named('sleep 1000')
      output(await t.coop(['-d', '-n', 'box']))
      const inside = (script: string) => t.coop(['exec', 'sh', '-c', script])
      output(await inside('cd; mkdir -p .local/bin; cd .local/bin; cp /bin/sleep mine; cp mine codex'))
      for (const agent of ['mine 1000', 'codex 1000']) {
        named(agent)
        output(await t.coop(['restart']))
        output(await t.coop(['stop']))
        expect(output(await t.coop(['start']))).toContain('is running')
        expect(await box(t)).toMatchObject({ state: 'running', agent: agent.split(' ')[0] })
      }
      output(await inside('rm ~/.local/bin/mine'))
      named('mine 1000')
      expectRefusal(await t.coop(['restart']), {
        code: 1,
        sentence: /no program mine in the box/,
        hint: /install/,
      })
      expect(await box(t)).toMatchObject({ state: 'running', agent: 'codex' })
      output(await t.coop(['stop']))
      const start = await t.coop(['start'])
      expect(start).toMatchObject({ code: 0, stderr: expect.stringMatching(/no program mine in the box/) })
      // A shell can enter it to install the program.
      output(await inside('cp /bin/sleep ~/.local/bin/mine'))
      output(await t.coop(['restart']))
      expect((await t.coop(['logs'])).stdout).toContain('mine: there is no such command in the box')
      await becomes(t, 'running')
    },
  )

  test.skipIf(can.missing)(`auto_restart = false leaves it ended, restart starts it${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    settle(t, 'auto_restart = false')
    await startBox(t, { agent: agent(t, 'exit 4') })
    await becomes(t, 'ended')
    expect((await box(t)).ptys[0]).toMatchObject({ exitCode: 4 })
    const terminal = await t.coopTerminal(['attach'])
    await terminal.waitFor(/exit code 4[\s\S]*coop restart box/)
    output(await t.coop(['restart']))
    await terminal.waitFor(/run 2/)
    await becomes(t, 'ended')
    expect(starts(t)).toBe(2)
  })

  test.skipIf(can.missing)(
    `restart ends a running agent at once, and does not count as a crash${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      settle(t, 'restart_delay_ms = 60000')
      await startBox(t, { agent: agent(t, 'trap "echo ending; exit 1" TERM; while :; do sleep 0.02; done') })
      const terminal = await t.coopTerminal(['attach'])
      for (let run = 1; run <= 6; run++) {
        await terminal.waitFor(new RegExp(`run ${run} `))
        output(await t.coop(['restart']))
      }
      await terminal.waitFor(/ending\n+\[coop: the agent was restarted\]\n+run 7 /)
      expect((await box(t)).state).toBe('running')
    },
  )

  test.skipIf(can.missing)(`coop restart reads coop.toml again${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', '[sandbox]\nagent = "sh -c \'echo first $WORD; exec sleep 1000\'"\n')
    output(await t.coop(['-d', '-n', 'box', '--trust']))
    await waitUntil(async () => /first/.test((await t.coop(['logs'])).stdout), 'the first')
    t.write(
      'coop.toml',
      '[sandbox]\nagent = "sh -c \'echo second $WORD; exec sleep 1000\'"\n[env]\nWORD = "word"\n',
    )
    output(await t.coop(['restart', '--trust']))
    await waitUntil(async () => /second word/.test((await t.coop(['logs'])).stdout), 'the second')
    t.write('coop.toml', '[sandbox]\nagnet = "x"\n')
    expect((await t.coop(['restart'])).code).toBe(2)
    expect(await box(t)).toMatchObject({ state: 'running' })
  })
})

const can = needed(ordinary)

test.skipIf(can.missing)(`an agent that ignores SIGTERM is restarted all the same${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  await startBox(t, { agent: agent(t, 'trap "" TERM HUP INT; echo >deaf; while :; do sleep 0.1; done') })
  await waitUntil(() => existsSync(join(t.workspace, 'deaf')), 'its start')
  const restart = t.coop(['restart'])
  await waitUntil(() => starts(t) === 2, 'its second start', 10_000)
  output(await restart)
})
