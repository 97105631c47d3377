/** Signals to `coop run` and `coop exec`, their terminals that go away, and their place in the background. */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { finalScreen, needed, nothingLeft, startBox } from './support.ts'

const FOREVER = 'while :; do sleep 0.02; done'
/** Says which signal came, after some work, with an exit code of its own. */
const tidy = (name: string): string => `trap "sleep 0.2; echo ${name} >ended; echo tidied; exit 7" ${name}`
const program = (name: string): readonly string[] => ['sh', '-c', `${tidy(name)}; echo ready; ${FOREVER}`]

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux', 'timeout')
  const ways = [
    ['run', ['run', '--']],
    ['exec', ['exec', '-n', 'box', '--']],
  ] as const

  test.skipIf(can.missing).each(ways)(
    `%s on a terminal: signals to coop are the program's, and so is the exit code${can.note}`,
    async (_, words) => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      for (const name of ['TERM', 'HUP']) {
        const terminal = await t.coopTerminal([...words, ...program(name)])
        await terminal.waitFor(/ready/)
        process.kill(Number(await terminal.info('#{pane_pid}')), `SIG${name}`)
        await terminal.waitFor(/tidied/)
        expect(await terminal.exited()).toBe(7)
      }
    },
  )

  test.skipIf(can.missing).each(ways)(
    `%s: a program has time to finish when its terminal goes away${can.note}`,
    async (_, words) => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const terminal = await t.coopTerminal([...words, ...program('HUP')])
      await terminal.waitFor(/ready/)
      await terminal[Symbol.asyncDispose]()
      await waitUntil(() => existsSync(join(t.workspace, 'ended')), 'the work of the program at its end')
      await t.coop(['kill', 'box', '-f'])
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(`run: a program has time to finish when coop is killed${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const quiet = 'exec >/dev/null 2>&1' // its pipes have no reader then
    const run = t.startCoop(['run', '--', 'sh', '-c', `${tidy('HUP')}; echo ready; ${quiet}; ${FOREVER}`])
    await run.waitFor(/ready/)
    run.kill('SIGKILL')
    await waitUntil(() => existsSync(join(t.workspace, 'ended')), 'the work of the program at its end')
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a signal that coop was started to ignore stays ignored${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
    const both = 'trap "echo hung; exit 1" HUP; trap "echo asked; exit 7" TERM'
    const script = `${both}; echo ready; ${FOREVER}`
    const run = t.start(['sh', '-c', `trap "" HUP; exec ${coopPath()} run -- sh -c '${script}'`])
    await run.waitFor(/ready/)
    run.kill('SIGHUP')
    run.kill('SIGTERM')
    expect(await run.finished(5_000)).toMatchObject({ code: 7, stdout: 'ready\nasked\n' })
  })

  test.skipIf(can.missing).each(ways)(
    `%s: a program that has stopped itself can be ended from outside${can.note}`,
    async (_, words) => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const script = `trap "echo asked; exit 7" TERM; echo ready; kill -STOP $$; ${FOREVER}`
      const command = t.startCoop([...words, 'sh', '-c', script])
      await command.waitFor(/ready/)
      command.kill('SIGTERM')
      command.kill('SIGCONT') // as timeout(1) does
      expect(await command.finished(10_000)).toMatchObject({ code: 7, stdout: 'ready\nasked\n' })
    },
  )

  test.skipIf(can.missing)(`in the background a command has pipes, and no input${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const show = `sh -c "tty; cat; echo over; exit 5"`
    // In a script timeout(1) leads a process group of its own, which is not the terminal's foreground.
    for (const words of ['run', 'exec -n box']) {
      const screen = await finalScreen(t, `ls >ls; timeout 20 ${coopPath()} ${words} -- ${show}`)
      expect(screen).toBe('not a tty\nover\nCODE 5')
    }
    const job = `ls >ls; set -m; coop run -- ${show} & wait $!`
    expect(await finalScreen(t, job)).toContain('not a tty\nover\n')
    const file = `ls >ls; set -m; coop run -- ${show} >out & wait $!; cat out; (exit 5)`
    expect(await finalScreen(t, file)).toContain('not a tty\nover\nCODE 5')
  })
})
