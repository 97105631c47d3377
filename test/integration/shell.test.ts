/** `coop shell`: terminals of a box besides the agent's. */
import { describe, expect, test } from 'bun:test'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Terminal } from '../harness/terminal.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, finalScreen, needed, startBox } from './support.ts'

const ids = async (t: Scratch) => (await box(t)).ptys.map((pty) => pty.id)

async function opened(t: Scratch, args: readonly string[] = []): Promise<Terminal> {
  const terminal = await t.coopTerminal(['shell', ...args])
  await terminal.waitFor(/[#$]$/m)
  return terminal
}

async function left(t: Scratch, terminal: Terminal): Promise<void> {
  await terminal.keys('C-]')
  await terminal.waitFor(/detached/)
  await waitUntil(async () => (await box(t)).clients === 0, 'the end of the client')
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(`a shell starts in the workspace, with job control${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const terminal = await opened(t)
    await terminal.line('clear; pwd; tty; echo $0; sleep 1000 & jobs; kill %1')
    await terminal.waitFor(
      new RegExp(`^${t.workspace}\\n/dev/pts/\\d\\n.*bash\\n\\[1\\] \\d+\\n\\[1\\]\\+  Running`, 'm'),
    )
    expect(await terminal.screen()).not.toMatch(/no job control|cannot set terminal/)
    expect(await ids(t)).toEqual([0, 1])
  })

  test.skipIf(can.missing)(`a shell without a client is used again${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const first = await opened(t)
    await first.line('kept=yes')
    await left(t, first)
    const second = await opened(t)
    await second.line('echo "kept: $kept."')
    await second.waitFor(/^kept: yes\.$/m)
    expect(await ids(t)).toEqual([0, 1])
    // While that shell is in use, the next client gets its own.
    const third = await opened(t)
    await third.line('echo "kept: $kept."')
    await third.waitFor(/^kept: \.$/m)
    expect(await ids(t)).toEqual([0, 1, 2])
  })

  test.skipIf(can.missing)(`--new makes a new one, even when one is free${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    await left(t, await opened(t))
    await opened(t, ['--new'])
    expect(await ids(t)).toEqual([0, 1, 2])
  })

  test.skipIf(can.missing)(`-c runs a command, and only the same command rejoins it${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const first = await t.coopTerminal(['shell', '-c', 'echo "one $((1+1))"; exec cat'])
    await first.waitFor(/one 2/)
    await left(t, first)
    const shell = await opened(t)
    await left(t, shell)
    expect(await ids(t)).toEqual([0, 1, 2])
    const again = await t.coopTerminal(['shell', '-c', 'echo "one $((1+1))"; exec cat'])
    await again.waitFor(/one 2/)
    expect(await ids(t)).toEqual([0, 1, 2])
  })

  test.skipIf(can.missing)(
    `the end of a shell ends its client and frees its terminal${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const terminal = await opened(t)
      await terminal.line('exit')
      expect(await terminal.exited()).toBe(0)
      await waitUntil(async () => (await ids(t)).length === 1, 'the end of its terminal')
      expect(await finalScreen(t, 'shell -c "echo over"')).toMatch(/^over\n[\s\S]*CODE 0$/)
    },
  )

  test.skipIf(can.missing)(
    `the client ends with the shell's exit code, also after a signal${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      expect(await finalScreen(t, 'shell -c "exit 3"')).toMatch(/CODE 3$/)
      expect(await finalScreen(t, "shell -c 'kill -9 $$'")).toMatch(/CODE 137$/)
      expect(await finalScreen(t, 'shell -c /nowhere')).toMatch(/not found[\s\S]*CODE 127$/)
      const terminal = await opened(t)
      await terminal.line('exit 4')
      expect(await terminal.exited()).toBe(4)
    },
  )

  test.skipIf(can.missing)(`shells that are opened at once get numbers of their own${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    await Promise.all([1, 2, 3].map(() => t.coopTerminal(['exec', '-t', 'cat'])))
    await waitUntil(async () => (await box(t)).clients === 3, 'the clients')
    expect((await ids(t)).toSorted()).toEqual([0, 1, 2, 3])
  })

  test.skipIf(can.missing)(`the box can be named, and a missing box is refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'mine' })
    const terminal = await t.coopTerminal(['shell', 'mine'], { cwd: '/' })
    await terminal.waitFor(/[#$]$/m)
    await terminal.line('clear; hostname')
    await terminal.waitFor(/^mine$/m)
    const missing = await t.coopTerminal(['shell', 'other'])
    expect(await missing.exited()).toBe(3)
  })
})
