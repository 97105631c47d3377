/** Ctrl+Z and `kill -TSTP`: the user's shell gets its terminal back, and `fg` brings everything back. */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Terminal } from '../harness/terminal.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, everyone, needed, output, shell, startBox } from './support.ts'

/** A shell with job control, in which `coop` is the program under test. */
async function prompt(t: Scratch): Promise<Terminal> {
  await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
  const env = { PS1: '> ', PS2: '', HISTFILE: '' }
  const terminal = await t.terminal(['bash', '--norc', '--noprofile', '-i'], { env })
  await terminal.waitFor(/^>/)
  await terminal.line(`coop() { ${coopPath()} "$@"; }; stty -a >../before; clear`)
  await terminal.waitFor(/^>\n+$/)
  return terminal
}

async function sameModes(t: Scratch, terminal: Terminal): Promise<void> {
  await terminal.line('stty -a >../after; echo writ""ten')
  await terminal.waitFor(/written/)
  expect(output(await shell(t, 'cmp ../before ../after'))).toBe('')
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux', 'less')

  test.skipIf(can.missing)(
    `Ctrl+Z suspends a program of run and exec, fg continues it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const lines = Array.from({ length: 40 }, (_, n) => `line ${n + 1}`)
      t.write('text', `${lines.join('\n')}\n`)
      await startBox(t)
      const terminal = await prompt(t)
      for (const command of ['run', 'exec']) {
        await terminal.line(`clear; ${coopPath()} ${command} less text`)
        await terminal.waitFor(/^line 1\nline 2\n[\s\S]*line 23\n/)
        await terminal.keys('C-z')
        await terminal.waitFor(/\[1\]\+ +Stopped/)
        expect(await terminal.modes()).toMatchObject({ alternate: false, cursorShown: true })
        await sameModes(t, terminal)
        await terminal.line('fg')
        await terminal.waitFor(/^line 1\nline 2\n[\s\S]*line 23\n/)
        expect((await terminal.modes()).alternate).toBe(true)
        await terminal.keys('q')
        await terminal.waitFor(/> fg\n[^\n]* less text\n>/)
        await terminal.line('echo "CODE $?"')
        // The user's own text is still there, above the prompt.
        expect(await terminal.waitFor(/CODE 0/)).toMatch(/Stopped[\s\S]*> fg\n[\s\S]*CODE 0/)
      }
    },
  )

  test.skipIf(can.missing)(
    `a program that knows nothing of it stops and goes on, too${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const terminal = await prompt(t)
      const wild = 'printf "\\033[?1049h\\033[H\\033[?1000hwild\\n"; exec cat'
      await terminal.line(`${coopPath()} run sh -c '${wild}'`)
      await terminal.waitFor(/^wild/)
      await terminal.keys('C-z')
      await terminal.waitFor(/\[1\]\+ +Stopped/)
      expect(await terminal.modes()).toMatchObject({ alternate: false, mouse: false })
      await sameModes(t, terminal)
      await terminal.line('fg')
      await terminal.waitFor(/^wild/)
      expect(await terminal.modes()).toMatchObject({ alternate: true, mouse: true })
      await terminal.line('typed')
      await terminal.waitFor(/typed\ntyped/)
    },
  )

  test.skipIf(can.missing)(
    `kill -TSTP suspends the client alone, and an agent goes on${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: 'sh -c "echo hello; while read line; do echo heard: $line; done"' })
      const terminal = await prompt(t)
      await terminal.line(`${coopPath()} attach`)
      await terminal.waitFor(/^hello/)
      const tty = (await terminal.info('#{pane_tty}')).replace('/dev/', '')
      await terminal.line('one')
      await terminal.waitFor(/heard: one/)
      const client = output(await t.run(['ps', '-t', tty, '-o', 'pid=,args='])).match(/(\d+) \S+ attach/)?.[1]
      output(await t.run(['kill', '-TSTP', `${client}`]))
      await terminal.waitFor(/\[1\]\+ +Stopped/)
      await waitUntil(async () => (await box(t)).clients === 0, 'no client')
      await sameModes(t, terminal)
      await terminal.line('fg')
      await terminal.waitFor(/^hello\none\nheard: one\n+$/)
      await terminal.line('two')
      await terminal.waitFor(/heard: two/)
      await terminal.keys('C-]')
      await terminal.waitFor(/detached/)
    },
  )
})

const can = needed(ordinary, 'tmux')

test.skipIf(can.missing)(`where nobody could continue it, Ctrl+Z stops nothing${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  const terminal = await t.coopTerminal(['run', 'sh', '-c', 'echo ready; exec cat'])
  await terminal.waitFor(/ready/)
  await terminal.keys('C-z')
  await terminal.line('alive')
  await terminal.waitFor(/alive\nalive/)
})

test.skipIf(can.missing)(`an agent that stops itself is continued${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  await startBox(t, { agent: 'sh -c "echo before; kill -STOP 0; echo after; exec cat"' })
  await waitUntil(async () => /before\s+after/.test((await t.coop(['logs'])).stdout), 'its next words')
})

test.skipIf(can.missing)(`a suspended program hears of the end of its client${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  await startBox(t)
  const terminal = await prompt(t)
  // Not dash: its vfork(2) cannot stop while its child has stopped before execve(2), with coop or without it. Of 400 such
  // signals to a dash that starts one program after the other 25 left it like that.
  const script = 'trap "echo >over; exit" HUP; echo ready; while :; do sleep 0.02; done'
  await terminal.line(`${coopPath()} exec bash -c '${script}'`)
  await terminal.waitFor(/^ready/m)
  await terminal.keys('C-z')
  await terminal.waitFor(/Stopped/)
  await terminal.line('kill -9 %1')
  await waitUntil(() => existsSync(join(t.workspace, 'over')), 'the last words of the program')
})
