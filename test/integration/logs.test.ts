/** `coop logs`, and shells of a box by number. */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, expectRefusal, needed, output, shellTerminal, startBox } from './support.ts'

const COLOURED = `sh -c 'for i in 1 2 3 4 5; do printf "\\033[3%dmline %d\\033[0m\\n" $i $i; done; exec sleep 1000'`

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const tmux = needed(invoker, 'tmux')

  test.skipIf(can.missing)(
    `text in a pipe, everything with --raw, the last lines with -n${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: COLOURED })
      await waitUntil(async () => /line 5/.test((await t.coop(['logs'])).stdout), 'the lines')
      expect(output(await t.coop(['logs']))).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
      expect(output(await t.coop(['logs', '-n', '2']))).toBe('line 4\nline 5\n')
      expect(output(await t.coop(['logs', '-n', '0']))).toBe('')
      expect(output(await t.coop(['logs', '--raw', '-n', '1', 'box']))).toBe('\x1b[35mline 5\x1b[0m\r\n')
      expectRefusal(await t.coop(['logs', 'nowhere']), { code: 3, sentence: /no box/, hint: /coop ls/ })
      expectRefusal(await t.coop(['logs', '-n', 'many']), { code: 2, sentence: /number/, hint: /./ })
    },
  )

  test.skipIf(tmux.missing)(`logs keeps colours on a terminal${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: COLOURED })
    const terminal = await shellTerminal(t, 'coop logs; echo "CODE $?"; cat')
    await terminal.waitFor(/line 5\nCODE 0/)
    expect(await terminal.screen({ escapes: true })).toMatch(/\x1b\[35mline 5/)
  })

  test.skipIf(tmux.missing)(
    `shells are listed, shown, restarted and hung up by number${tmux.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      expectRefusal(await t.coop(['shell', 'restart']), { code: 3, sentence: /no shell/, hint: /coop shell/ })
      const first = await t.coopTerminal([
        'shell',
        '-c',
        'echo first $$; read x; echo done $x; exec sleep 1000',
      ])
      await first.waitFor(/first \d+/)
      const second = await t.coopTerminal(['shell', '--new', '-c', 'echo second; exec sleep 1000'])
      await second.waitFor(/second/)
      expect(output(await t.coop(['shell', 'ls']))).toMatch(/^ID .*\n1 .*first.*\n(?: .*\n)*2 .*second/)
      expect(JSON.parse(output(await t.coop(['shell', 'ls', 'box', '--json'])))).toMatchObject([
        { id: 1 },
        { id: 2 },
      ])
      await first.line('typed')
      await first.waitFor(/done typed/)
      expect(output(await t.coop(['shell', 'logs', '1']))).toMatch(/done typed/)
      expect(output(await t.coop(['shell', 'logs', 'box:2']))).toBe('second\n')
      expectRefusal(await t.coop(['shell', 'restart']), { code: 2, sentence: /several/, hint: /shell ls/ })
      output(await t.coop(['shell', 'restart', '1']))
      await first.waitForScreen((screen) => (screen.match(/first \d+/g) ?? []).length === 2, 'it twice')
      await first.waitFor(/the shell was restarted/)
      await second.keys('C-]')
      expect(await second.exited()).toBe(0)
      const again = await t.coopTerminal(['shell', 'attach', '2'])
      await again.waitFor(/second/)
      output(await t.coop(['shell', 'kill', '2']))
      await again.waitFor(/the shell was ended; open another one: coop shell box/)
      expect(await again.exited()).toBe(129)
      expect((await box(t)).ptys.map(({ id }) => id)).toEqual([0, 1])
      expectRefusal(await t.coop(['shell', 'logs', '2']), {
        code: 3,
        sentence: /no shell 2/,
        hint: /shell ls/,
      })
      expectRefusal(await t.coop(['shell', 'kill', '0']), {
        code: 3,
        sentence: /no shell 0/,
        hint: /shell ls/,
      })
      expectRefusal(await t.coop(['shell', 'kill', 'x!']), {
        code: 2,
        sentence: /"x!" does not name a shell/,
        hint: /shell ls/,
      })
    },
  )

  test.skipIf(tmux.missing)(`status shows the attached clients${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const one = await t.coopTerminal(['attach'], { columns: 100, rows: 30 })
    const two = await t.coopTerminal(['attach', '--readonly'])
    await waitUntil(async () => (await box(t)).clients === 2, 'both')
    const tty = await one.info('#{pane_tty}')
    const status = output(await t.coop(['status']))
    expect(status).toMatch(new RegExp(`0 +\\d+ +${tty} +100x30`))
    expect(status).toMatch(/read-only/)
    expect(await two.info('#{pane_dead}')).toBe('0')
  })

  test.skipIf(can.missing)(`create makes a box with a name of two words${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['create', '--agent', 'sleep 1000']))
    output(await t.coop(['create', 'mine', '-w', t.folder('other'), '--agent', 'sleep 1000']))
    const names = (JSON.parse(output(await t.coop(['ls', '--json']))) as { name: string }[]).map(
      ({ name }) => name,
    )
    expect(names).toContain('mine')
    expect(names.find((name) => name !== 'mine')).toMatch(/^[a-z]+-[a-z]+$/)
  })
})
