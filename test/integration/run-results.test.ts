/** The end of `coop run`: the command's exit code, a signal, the death of the client, a failure of coop. */
import { describe, expect, test } from 'bun:test'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { expectRefusal, needed, nothingLeft, output, shell, startBox, startShell } from './support.ts'

/** Prints the signals that it gets, and ends by itself. */
const listener = (names: string) =>
  `for s in ${names}; do trap "echo got $s; exit 7" $s; done; echo ready; while :; do sleep 0.02; done`

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`the exit code is the command's own${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const code of [0, 1, 42, 125, 255])
      expect(await t.coop(['run', '--', 'sh', '-c', `exit ${code}`])).toMatchObject({ code, stderr: '' })
  })

  test.skipIf(can.missing)(`126: the command cannot be executed, 127: it is missing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('plain.sh', '#!/bin/sh\necho no\n', 0o644)
    t.write('broken', '\x7fELF is not enough', 0o755)
    t.write('lost', '#!/no/such/interpreter\n', 0o755)
    const say = async (command: string) => {
      const { code, stdout, stderr } = await t.coop(['run', '--', command])
      expect(stdout).toBe('')
      expect(stderr).toMatch(/^coop: .+\n/)
      return code
    }
    expect(await say('./plain.sh')).toBe(126)
    expect(await say('.')).toBe(126)
    expect(await say('/etc')).toBe(126)
    expect(await say('./broken')).toBe(126)
    expect(await say('./missing')).toBe(127)
    expect(await say('no-such-command')).toBe(127)
    expect(await say('/etc/passwd/x')).toBe(127)
    expect(await say('./lost')).toBe(127)
    expect(await say('')).toBeGreaterThanOrEqual(125)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a death by signal n is 128+n${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const signals = { HUP: 1, INT: 2, QUIT: 3, ABRT: 6, KILL: 9, SEGV: 11, PIPE: 13, TERM: 15 }
    const codes = await Promise.all(
      Object.keys(signals).map(
        async (name) => (await t.coop(['run', '--', 'sh', '-c', `kill -${name} $$`])).code,
      ),
    )
    expect(codes).toEqual(Object.values(signals).map((number) => 128 + number))
  })

  test.skipIf(can.missing)(`125: coop itself failed, with the reason${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = await t.coop(['run', '--image', 'no.such/image', '--', 'true'])
    expectRefusal(image, { code: 125, sentence: /no\.such\/image/, hint: /image|host|rootfs/ })
    t.write('coop.toml', '[sandbox]\nimage = 7\n')
    expectRefusal(await t.coop(['run', '--', 'true']), { code: 125, sentence: /coop\.toml/, hint: /./ })
    // No command runs for a plan: it has the code of its error.
    expectRefusal(await t.coop(['run', '--plan', 'true']), { code: 2, sentence: /coop\.toml/, hint: /./ })
    for (const command of ['run', 'exec']) {
      const env = { COOP_RUNTIME_DIR: 'relative' }
      const refused = await t.coop([command, 'true'], { env })
      expectRefusal(refused, { code: 125, sentence: /COOP_RUNTIME_DIR/, hint: /./ })
    }
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`but 2 and 3 say that a command line was not right${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const wrong = [['--no-such'], [], ['-t', '-T', 'true'], ['-e', '=x', 'true'], ['-n']]
    for (const command of ['run', 'exec'])
      for (const words of wrong)
        expectRefusal(await t.coop([command, ...words]), { code: 2, sentence: /./, hint: /./ })
    expectRefusal(await t.coop(['exec', 'true']), { code: 3, sentence: /no box/, hint: /coop/ })
    await startBox(t)
    await startBox(t, { name: 'other' })
    expectRefusal(await t.coop(['exec', 'true']), { code: 2, sentence: /several boxes/, hint: /./ })
    output(await t.coop(['stop', 'other']))
    expectRefusal(await t.coop(['exec', '-n', 'other', 'true']), {
      code: 125,
      sentence: /not running/,
      hint: /./,
    })
  })

  test.skipIf(can.missing)(`a failure in a pipeline ends the pipeline${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(output(await shell(t, 'coop run -- echo warm'))).toBe('warm\n')
    const script = 'set +o pipefail; yes | coop run --image no.such/image -- cat | wc -c'
    expect(output(await shell(t, script, { timeoutMs: 5_000 }))).toBe('0\n')
    // Also a run whose program is missing, for which a box was made.
    const missing = 'set +o pipefail; yes | coop run -- no-such-command | wc -c'
    expect(output(await shell(t, missing, { timeoutMs: 5_000 }))).toBe('0\n')
  })

  test.skipIf(can.missing)(`signals to coop reach the command${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const name of ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2'] as const) {
      const run = t.startCoop(['run', '--', 'sh', '-c', listener('TERM INT HUP QUIT USR1 USR2')])
      await run.waitFor(/ready/)
      run.kill(`SIG${name}`)
      expect(await run.finished(5_000)).toMatchObject({ code: 7, stdout: `ready\ngot ${name}\n` })
    }
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a signal reaches children of the command, too${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `sh -c '${listener('TERM')}'; echo after; exit 3`
    const run = t.startCoop(['run', '--', 'sh', '-c', `trap : TERM; ${script}`])
    await run.waitFor(/ready/)
    run.kill('SIGTERM')
    expect(await run.finished(5_000)).toMatchObject({ code: 3, stdout: 'ready\ngot TERM\nafter\n' })
  })

  test.skipIf(can.missing)(`a signal that nothing handles ends it with 128+n${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = t.startCoop(['run', '--', 'sh', '-c', 'echo ready; exec sleep 1000'])
    await run.waitFor(/ready/)
    run.kill('SIGINT')
    expect(await run.finished(5_000)).toMatchObject({ code: 130, stderr: '' })
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a signal before the command runs is not lost${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    // The first command starts the daemon, which takes a while.
    const script = `${coopPath()} run -- sleep 1000 & pid=$!; sleep 0.0\${RANDOM:0:2}; kill -TERM $pid; wait $pid`
    for (let round = 0; round < 5; round++) {
      const { code } = await shell(t, script, { timeoutMs: 5_000 })
      expect(code).toBe(143)
    }
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`when coop is killed, the box goes away${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = t.startCoop([
      'run',
      '--',
      'sh',
      '-c',
      'trap "" HUP TERM; echo ready; while :; do sleep 1; done',
    ])
    await run.waitFor(/ready/)
    run.kill('SIGKILL')
    await run.finished(5_000)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`when coop is killed in a pipeline, the pipeline ends${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = await startShell(t, `(echo $BASHPID; exec ${coopPath()} run -- sleep 1000) | cat`)
    const [, pid] = await run.waitFor(/^(\d+)\n/)
    await waitUntil(async () => (await t.coop(['system', 'status'])).stdout.match(/boxes +1/), 'the box')
    process.kill(Number(pid), 'SIGKILL')
    await run.finished(5_000)
    await nothingLeft(t)
  })
})
