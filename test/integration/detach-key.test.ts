/** The detach key Ctrl+]: pressed once it detaches, pressed twice it reaches the program. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, needed, output, shellTerminal, startBox } from './support.ts'

const CTRL_BRACKET = 0x1d
/** Whether the kernel lets a program put back what it has read (proc_sys_dev(5)); kernels before 6.2 always do. */
const PUTS_BACK = (() => {
  const setting = '/proc/sys/dev/tty/legacy_tiocsti'
  return process.getuid?.() === 0 || !existsSync(setting) || readFileSync(setting, 'utf8').trim() === '1'
})()

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(`pressed twice it reaches the program once${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const terminal = await t.coopTerminal(['-n', 'box', '--agent', "sh -c 'stty raw -echo; echo go; cat -v'"])
    await terminal.waitFor(/go/)
    await terminal.bytes(Uint8Array.of(CTRL_BRACKET, CTRL_BRACKET, 0x78))
    const screen = await terminal.waitFor(/\^\]x/)
    expect(screen).not.toContain('^]^]')
    await terminal.bytes(Uint8Array.of(CTRL_BRACKET))
    await terminal.waitFor(/detached/)
    expect(await terminal.exited()).toBe(0)
  })

  test.skipIf(can.missing || !PUTS_BACK)(`what is typed after it is the shell’s${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const agent = "sh -c 'stty raw -echo; echo go; exec cat -v'"
    const terminal = await shellTerminal(
      t,
      `export -f coop; coop -n box --agent "${agent}"; PS1='$ ' exec bash --norc -i`,
    )
    await terminal.waitFor(/go/)
    const typedAt = [
      Buffer.from('\x1decho at-$((1 + 1))\r'),
      Buffer.from('\x1b[93;5u\x1b[93;5:3uecho at-$((1 + 2))\r'), // as kitty's protocol has it
    ]
    for (const [index, bytes] of typedAt.entries()) {
      if (index) await terminal.line('coop attach box')
      if (index) await waitUntil(async () => (await box(t)).clients === 1, 'the client')
      await terminal.bytes(bytes)
      await terminal.waitFor(new RegExp(`^at-${index + 2}$`, 'm'))
    }
    await terminal.line('coop attach box')
    await waitUntil(async () => (await box(t)).clients === 1, 'the client')
    for (const byte of Buffer.from('\x1decho at-$((1 + 3))\r')) await terminal.bytes(Uint8Array.of(byte))
    await terminal.waitFor(/^at-4$/m)
    expect(output(await t.coop(['screen', 'box']))).not.toContain('at-')
  })

  test.skipIf(can.missing)(`pressed twice in two reads it reaches the program once${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: "sh -c 'stty raw -echo; exec cat -v'" })
    const terminal = await shellTerminal(t, 'while true; do coop attach box; done')
    // On a busy machine the two presses may be so far apart that each detaches.
    const pressed = async () => {
      for (const key of ['C-]', 'C-]', 'x']) await terminal.keys(key)
      return /\^\]x/.test(output(await t.coop(['screen', 'box'])))
    }
    await waitUntil(pressed, 'two presses')
    expect(output(await t.coop(['screen', 'box']))).not.toContain('^]^]')
  })

  test.skipIf(can.missing)(`it works after a paste that never ended${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const terminal = await t.coopTerminal(['--agent', "sh -c 'stty raw -echo; echo go; cat -v'"])
    await terminal.waitFor(/go/)
    await terminal.bytes(Buffer.from('\x1b[200~cut off'))
    await terminal.waitFor(/cut off/)
    const left = async () => {
      await terminal.bytes(Uint8Array.of(CTRL_BRACKET))
      // Presses that follow each other at once are one for the program.
      return await terminal.waitFor(/detached/, 400).catch(() => false)
    }
    await waitUntil(left, 'the end of the paste')
    expect(await terminal.exited()).toBe(0)
  })
})
