/** The detach key Ctrl+]: pressed once it detaches, pressed twice it reaches the program. */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
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
})
