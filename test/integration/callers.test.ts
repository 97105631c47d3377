/** What a process hands down to its children: a box gets it from its own caller, and never from the first one. */
import { describe, expect, test } from 'bun:test'
import { coopPath } from '../harness/coop.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { box, boxes, daemonPid, everyone, needed, output, shell, startBox } from './support.ts'

/** Prints the values, one a line, for a process in a box and outside alike. */
const SHOW = `nice; umask; ulimit -S -t; ulimit -H -t; ulimit -S -f; ulimit -H -f; ulimit -s; ulimit -v
chrt -p $$ | sed 's/.*: //'; ionice -p $$; grep Cpus_allowed: /proc/self/status`
/** Lowers all of them, and runs its arguments. */
const LOWER = `umask 027; ulimit -t 900; ulimit -f 200000; ulimit -S -s 4096
exec nice -n 7 taskset -c 0 chrt -b 0 ionice -c 3 "$@"`

async function withScripts(t: Scratch): Promise<{ readonly usual: string; readonly low: string }> {
  await shell(t, 'cat >show', { stdin: SHOW })
  await shell(t, 'cat >lower', { stdin: LOWER })
  const usual = output(await t.run(['bash', 'show']))
  const low = output(await t.run(['bash', 'lower', 'bash', 'show']))
  expect(low).not.toBe(usual)
  return { usual, low }
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'taskset', 'chrt', 'ionice', 'nice')

  test.skipIf(can.missing)(`the first caller's limits are not those of later boxes${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { usual, low } = await withScripts(t)
    await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
    const agent = ['-d', '-n', 'first', '--agent', 'bash -c "bash show >agent; exec sleep infinity"']
    output(await t.run(['bash', 'lower', coopPath(), ...agent]))
    expect(output(await t.coop(['run', '--', 'bash', 'show']))).toBe(usual)
    expect(output(await shell(t, 'until grep -q Cpus agent; do sleep 0.02; done; cat agent'))).toBe(low)
    // Its box goes on, even if another daemon had to take over because the kernel lets nobody raise a limit.
    expect(await boxes(t)).toMatchObject([{ name: 'first', state: 'running' }])
    expect(output(await t.coop(['exec', '-n', 'first', '--', 'cat', 'agent']))).toBe(low)
  })

  test.skipIf(can.missing)(`a command and an agent have those of their caller${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { usual, low } = await withScripts(t)
    await startBox(t)
    const pid = await daemonPid(t)
    const lowered = async (...args: readonly string[]): Promise<string> =>
      output(await t.run(['bash', 'lower', coopPath(), ...args]))
    expect(await lowered('run', '--', 'bash', 'show')).toBe(low)
    expect(await lowered('exec', '-n', 'box', '--', 'bash', 'show')).toBe(low)
    expect(await lowered('run', '-t', '--', 'bash', 'show')).toBe(low.replaceAll('\n', '\r\n'))
    expect(output(await t.coop(['exec', '-n', 'box', '--', 'bash', 'show']))).toBe(usual)
    await lowered('restart', 'box')
    await lowered('stop', 'box')
    await lowered('start', 'box')
    const { ptys } = await box(t)
    expect(ptys).toMatchObject([{ state: 'running' }])
    expect(output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', AGENT_NICE]))).toBe('7\n')
    expect(await daemonPid(t)).toBe(pid)
  })
})

/** Prints the nice value of the box's agent. */
const AGENT_NICE = `awk '$2 == "(sleep)" { print $19 }' /proc/[0-9]*/stat`
