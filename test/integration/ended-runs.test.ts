/** For its caller a run has ended with its command; whoever looks next waits until its box is gone. */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { syscall } from '../../ffi/libc.ts'
import type { Started } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { boxes, everyone, needed, output, startBox } from './support.ts'

const PTRACE_SEIZE = 0x4206 // linux/ptrace.h
const WALL = 0x4000_0000 // linux/wait.h

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}

/** A run that has ended while its box is being taken down: this process traces one of its processes, and reaps it late. */
class HeldRun implements Disposable {
  readonly #pid: number
  #isHeld = true

  private constructor(pid: number) {
    this.#pid = pid
  }

  static async of(t: Scratch, options: readonly string[]): Promise<HeldRun> {
    const seconds = `${100_000 + Math.floor(Math.random() * 1e9)}`
    const run = t.startCoop(['run', ...options, '--', 'sh', '-c', `sleep ${seconds} & echo ready; read go`])
    await run.waitFor(/ready/)
    const isSleep = (pid: string) => commandLine(pid) === `sleep\0${seconds}\0`
    const pid = Number(await waitUntil(() => readdirSync('/proc').find(isSleep), 'the process to hold'))
    expect(syscall('ptrace', PTRACE_SEIZE, pid, 0, 0)).toBe(0)
    const held = new HeldRun(pid)
    run.write('\n')
    expect((await run.finished()).code).toBe(0)
    return held
  }

  release(): void {
    if (this.#isHeld) syscall('wait4', this.#pid, 0, WALL, 0)
    this.#isHeld = false
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** Lets go of the run once the command waits for it, or has not waited. */
async function released(t: Scratch, held: HeldRun, command: Started): Promise<string> {
  const isWaiting = async () => {
    const { clients } = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as {
      clients: number
    }
    return clients > 1 || command.process.exitCode !== null // one of the clients asks for the status
  }
  await waitUntil(isWaiting, 'the command to look')
  held.release()
  return output(await command.finished())
}

const DATA = ['-m', 'data:/srv/data']

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`the volume of a run can be removed at once${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using held = await HeldRun.of(t, DATA)
    expect(await released(t, held, t.startCoop(['volume', 'rm', 'data']))).toMatch(/^removed data/)
  })
})

describe('as any user', () => {
  const can = needed(ordinary)

  test.skipIf(can.missing)(`the box of a run is in no list, and no longer a user${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    for (const [command, expected] of [
      [['ls', '-a', '--json'], '[]\n'],
      [['kill', '--all'], 'no boxes\n'],
      [['volume', 'ls'], /^data +\S+ +-$/m],
      [['volume', 'prune', '-f'], /^removed data/],
    ] as const) {
      using held = await HeldRun.of(t, DATA)
      const said = await released(t, held, t.startCoop(command))
      if (typeof expected === 'string') expect(said).toBe(expected)
      else expect(said).toMatch(expected)
    }
  })

  test.skipIf(can.missing)(`the name of a run can be taken again at once${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    using held = await HeldRun.of(t, ['-n', 'mine'])
    expect(await released(t, held, t.startCoop(['run', '-n', 'mine', 'hostname']))).toBe('mine\n')
  })

  test.skipIf(can.missing)(`prune ends runs, too, before it removes what they use${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    await startBox(t)
    const run = t.startCoop(['run', ...DATA, '--', 'sh', '-c', 'echo ready; sleep 1000'])
    await run.waitFor(/ready/)
    expect(output(await t.coop(['system', 'prune', '-f']))).toMatch(/^removed 2 boxes/)
    expect((await run.finished()).stderr).toContain('was ended')
    expect(await boxes(t)).toEqual([])
  })
})
