/** The detach key Ctrl+]: pressed once it detaches, pressed twice it reaches the program. */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { needed } from './support.ts'

const CTRL_BRACKET = 0x1d

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
