/**
 * What an agent is doing shows in listings and events. When it needs its user, the titles of other terminals show it,
 * and the user's own command runs.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { type BoxJson, box, needed, output, shellTerminal, startBox } from './support.ts'

const ASKS = `sh -c 'read go; printf "\\033]9;May I delete it?\\007"; read answer; echo working; read more'`

async function waits(t: Scratch, name = 'box'): Promise<unknown> {
  return await waitUntil(
    async () => {
      const { stdout } = await t.coop(['ls', '--json'])
      const boxes = JSON.parse(stdout) as { name: string; waiting?: unknown }[]
      return boxes.find((one) => one.name === name)?.waiting
    },
    `${name} to wait`,
    15_000,
  )
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const tmux = needs('tmux')

  test.skipIf(can.missing || tmux.missing)(
    `a notification marks the agent as waiting until somebody answers${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: ASKS })
      const terminal = await t.coopTerminal(['attach'])
      await terminal.line('go')
      expect(await waits(t)).toMatchObject({ text: 'May I delete it?' })
      expect(output(await t.coop(['ls']))).toMatch(/box .* waiting /)
      expect(output(await t.coop(['status']))).toMatch(/waiting .*May I delete it\?/)
      await terminal.line('yes')
      await terminal.waitFor(/working/)
      await waitUntil(async () => (await box(t)).waiting === undefined, 'the end of the wait')
    },
  )

  test.skipIf(can.missing || tmux.missing)(
    `silence after output marks the agent as waiting, too${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: 'sh -c \'printf "name? "; read name; exec sleep 1000\'' })
      expect(await waits(t)).toBeObject()
    },
  )

  test.skipIf(can.missing || tmux.missing)(`the title of other terminals shows it${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'asks', agent: ASKS })
    const other = t.folder('other')
    output(await t.coop(['-d', '-n', 'calm', '-w', other, '--agent', "sh -c 'echo calm; exec sleep 1000'"]))
    const calm = await shellTerminal(t, 'coop attach calm; exec cat')
    await calm.waitFor(/calm/)
    const before = await calm.info('#{pane_title}')
    const asks = await t.coopTerminal(['attach', 'asks'])
    await asks.line('go')
    await waitUntil(async () => /● asks waits for you/.test(await calm.info('#{pane_title}')), 'the title')
    await asks.line('yes')
    await waitUntil(async () => !/asks/.test(await calm.info('#{pane_title}')), 'the title to go back')
    await calm.keys('C-]')
    await calm.waitFor(/detached/)
    expect(await calm.info('#{pane_title}')).toBe(before)
  })

  test.skipIf(can.missing || tmux.missing)(
    `a waiting agent runs the user's own command${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const said = join(t.root, 'said')
      const command = `printf '%s|%s|%s' \\"$COOP_BOX\\" \\"$COOP_WORKSPACE\\" \\"$COOP_TEXT\\" >${said}.new; mv ${said}.new ${said}`
      t.write(join(t.configDir, 'default.toml'), `[session]\nnotify = "${command}"\n`)
      t.folder('.', 0o755)
      await startBox(t, { agent: ASKS })
      const terminal = await t.coopTerminal(['attach'])
      await terminal.line('go')
      await waitUntil(() => existsSync(said), 'the command')
      expect(readFileSync(said, 'utf8')).toBe(`box|${t.workspace}|May I delete it?`)
    },
  )

  test.skipIf(can.missing)(
    `what the agent reports is shown, with its question, and told once${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const said = join(t.root, 'said')
      t.write(
        join(t.configDir, 'default.toml'),
        `[session]\nnotify = "echo \\"$COOP_STATE|$COOP_TEXT\\" >>${said}"\n`,
      )
      const question = Buffer.from('approve Bash:\n rm -r /\u202e').toString('base64')
      const states = [
        ['idle', ''],
        ['working', ''],
        ['blocked', `:app=x:kind=permission:msg=${question}`],
        ['done', ''],
      ].map(([state, more]) => `printf "\\033]7501;state=${state}${more}\\033\\\\"; read go`)
      await startBox(t, { agent: `sh -c 'stty -echo; ${states.join('; ')}; exec sleep 1000'` })
      await using terminal = await t.coopTerminal(['attach'])
      const events = t.startCoop(['events'])
      const shown = async (state: string) =>
        await waitUntil(async () => {
          const seen = await box(t)
          return seen.state === state && seen
        }, state)
      expect((await shown('idle')).doing).toMatchObject({ from: 'report' })
      await terminal.line('')
      await shown('working')
      expect(output(await t.coop(['ls']))).toMatch(/ working /)
      await events.waitFor(/box: the agent works\n/)
      await terminal.line('')
      const blocked = await shown('blocked')
      expect(blocked.waiting).toMatchObject({ text: 'approve Bash:  rm -r /' })
      expect(output(await t.coop(['status']))).toMatch(
        /doing +blocked since \d+s, by its own report: approve Bash: {2}rm -r \//,
      )
      await events.waitFor(/box: the agent asks you: approve Bash: {2}rm -r \/\n/)
      await terminal.keys('x') // a key is no answer
      await terminal.line('')
      await shown('done')
      await events.waitFor(/box: the agent has finished/)
      const lines = await waitUntil(() => {
        const all = existsSync(said) ? readFileSync(said, 'utf8').trimEnd().split('\n') : []
        return all.length >= 2 && all
      }, 'both notifications')
      expect(lines[0]).toBe('blocked|approve Bash:  rm -r /')
      expect(lines[1]).toMatch(/^done\|/)
      expect(lines).toHaveLength(2)
    },
  )

  test.skipIf(can.missing)(`a bell says what the screen says${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const said = join(t.root, 'said')
    t.write(
      join(t.configDir, 'default.toml'),
      `[session]\nnotify = "printf %s \\"$COOP_TEXT\\" >${said}.new; mv ${said}.new ${said}"\n`,
    )
    const asks = String.raw`\007\033[2J\033[5;4HOverwrite \033[31mall\033[m of it?\r\n\342\224\202 1. yes\r\n 2. no\302\233\342\200\256`
    await startBox(t, { agent: `sh -c 'printf "${asks}"; read more'` })
    await waitUntil(() => existsSync(said), 'the command')
    expect(readFileSync(said, 'utf8')).toBe('Overwrite all of it? 1. yes 2. no')
    expect((await box(t)).waiting).toMatchObject({ text: 'Overwrite all of it? 1. yes 2. no' })
  })

  test.skipIf(can.missing)(
    `a title that asks, and shown progress, count more than output and silence${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const titles = ['!', '.'].map(
        (mark) => `printf "\\033]0;[ ${mark} ] Action Required | x\\007"; sleep 0.2`,
      )
      await startBox(t, { name: 'asks', agent: `sh -c 'while :; do ${titles.join('; ')}; done'` })
      const other = t.folder('other')
      const progress = String.raw`sh -c 'printf "\033]9;4;3\007"; exec sleep 1000'`
      output(await t.coop(['-d', '-n', 'builds', '-w', other, '--agent', progress]))
      const states = async () => {
        const { stdout } = await t.coop(['ls', '--json'])
        const all = JSON.parse(stdout) as { name: string; state: string }[]
        return Object.fromEntries(all.map(({ name, state }) => [name, state]))
      }
      const wanted = { asks: 'blocked', builds: 'working' }
      await waitUntil(async () => Bun.deepEquals(await states(), wanted), 'both states')
    },
  )

  test.skipIf(can.missing)(
    `what an agent does is known again after the daemon was killed${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const text = Buffer.from('may I?').toString('base64')
      await startBox(t, {
        agent: `sh -c 'printf "\\033]7501;state=blocked:msg=${text}\\007"; exec sleep 1000'`,
      })
      const before = await waitUntil(async () => (await box(t)).doing, 'the question')
      expect(before).toMatchObject({ state: 'blocked', text: 'may I?' })
      const { pid } = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as { pid: number }
      process.kill(pid, 'SIGKILL')
      expect((await box(t)).doing).toEqual(before)
      output(await t.coop(['restart'])) // it says so again, from now on
      await waitUntil(async () => ((await box(t)).doing?.since ?? 0) > before.since, 'the new question')
    },
  )

  test.skipIf(can.missing)(
    `a flood of notifications runs it once at a time, for the newest${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const [said, go] = [join(t.root, 'said'), join(t.root, 'go')]
      const lines = () => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : [])
      const command = `echo \\"$COOP_TEXT\\" >>${said}; until [ -e ${go} ]; do sleep 0.05; done`
      t.write(join(t.configDir, 'default.toml'), `[session]\nnotify = "${command}"\n`)
      const FLOOD = `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); printf "\\033]9;n$i\\007"; done; read more`
      await startBox(t, { agent: `bash -c '${FLOOD}'` })
      await waitUntil(async () => (await box(t)).waiting?.text === 'n3000', 'the last of them', 30_000)
      await waitUntil(() => lines().length > 0, 'the command')
      expect(lines()).toHaveLength(1) // it still runs
      t.write(go, '')
      await waitUntil(() => lines().includes('n3000'), 'the newest')
      expect(lines()).toHaveLength(2)
    },
  )

  test.skipIf(can.missing)(
    `a flood of reports changes little, and its texts have an end${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      output(await t.coop(['-d', '-n', 'calm', '--agent', 'sleep 1000']))
      const events = t.startCoop(['events', '--json'])
      await waitUntil(async () => {
        await t.coop(['restart', 'calm'])
        return events.stdout !== ''
      }, 'events')
      const began = performance.now()
      const long = Buffer.from('x\u202e'.repeat(500)).toString('base64')
      const states = ['working', `blocked:msg=${long}`, 'done', 'idle:id=$i', 'blocked:id=$i']
      const reports = states.map(
        (state) => `\\033]7501;state=${state}\\007\\033]0;[ ! ] Action Required $i\\007\\033]9;4;1;5\\007`,
      )
      const flood = `i=0; while [ $i -lt 400 ]; do i=$((i+1)); printf "${reports.join('')}"; done`
      const last = `printf "\\033]7501;state=clear\\007\\033]7501;state=blocked:msg=${long}\\007"`
      const other = t.folder('other')
      t.write(join(other, 'flood'), `${flood}; ${last}; printf over; read more`)
      await startBox(t, { agent: 'bash flood', flags: ['-w', other] })
      const find = async () => {
        const boxes = JSON.parse(output(await t.coop(['ls', '--json']))) as BoxJson[]
        return boxes.find(({ name }) => name === 'box')?.doing
      }
      const doing = await waitUntil(
        async () => {
          const now = await find()
          return now?.text?.startsWith('xx') && /over/.test(output(await t.coop(['screen', 'box']))) && now
        },
        'the end of the flood',
        30_000,
      )
      expect(doing).toMatchObject({ state: 'blocked', text: 'x'.repeat(200), from: 'report' })
      const told = events.stdout.split('"event":"agent"').length - 1
      expect(told).toBeLessThanOrEqual(3 + (performance.now() - began) / 500)
    },
  )

  test.skipIf(can.missing)(`no notifier outlives the daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const started = join(t.root, 'started')
    const command = `touch ${started}; sleep 1000 & sleep 1000 ${t.root}`
    t.write(join(t.configDir, 'default.toml'), `[session]\nnotify = "${command}"\n`)
    await startBox(t, { agent: `sh -c 'printf "\\a"; read more'` })
    await waitUntil(() => existsSync(started), 'the command')
    output(await t.coop(['system', 'shutdown']))
    const { stdout } = await t.run(['pgrep', '-fc', `sleep 1000 ${t.root}`])
    expect(stdout.trim()).toBe('0')
  })

  test.skipIf(can.missing)(`a project cannot set a notifier${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', '[session]\nnotify = "touch /tmp/owned"\n')
    const { code, stderr } = await t.coop(['-d'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/notify may not be set by a project/)
  })
})
