/** `coop exec`: a command in a running box. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, needed, nothingLeft, output, shell, startBox } from './support.ts'

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(
    `a command in the box of coop run does not change that run${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const run = t.startCoop([
        'run',
        '-n',
        'short',
        '--',
        'sh',
        '-c',
        'echo >ready; until [ -e go ]; do sleep 0.02; done; exit 7',
      ])
      await waitUntil(() => existsSync(join(t.workspace, 'ready')), 'the command')
      output(await t.coop(['exec', '-n', 'short', '--', 'true']))
      expect((await t.coop(['exec', '-n', 'short', '--', 'no-such-command'])).code).toBe(127)
      t.write('go', '')
      expect(await run.process.exited).toBe(7)
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(`coop kill --all ends the boxes of coop run, too${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const run = t.startCoop(['run', '--', 'sh', '-c', 'echo ready; exec sleep 1000'])
    await run.waitFor(/ready/)
    expect(output(await t.coop(['kill', '--all', '-f']))).toBe('2 boxes are gone\n')
    expect(await run.finished(5_000)).toMatchObject({ code: 137, stderr: expect.stringMatching(/was ended/) })
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`streams and exit codes pass as with run${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    expect(
      await t.coop(['exec', '--', 'sh', '-c', 'cat; echo err >&2; exit 9'], { stdin: 'in\n' }),
    ).toMatchObject({
      code: 9,
      stdout: 'in\n',
      stderr: 'err\n',
    })
    const bytes = 16 * 2 ** 20
    const flow = `seq 100000000 999999999 | head -c ${bytes}`
    const script = `set +o pipefail; ${flow} | coop exec -- cat | cmp - <(${flow}) && echo same`
    expect(output(await shell(t, script))).toBe('same\n')
    expect((await t.coop(['exec', 'no-such-command'])).code).toBe(127)
    expect(await t.coop(['exec', '/etc'])).toMatchObject({
      code: 126,
      stderr: 'coop: /etc: access denied (EACCES)\n',
    })
    expect((await t.coop(['exec', 'sh', '-c', 'kill -KILL $$'])).code).toBe(137)
    expect((await t.coop(['exec'])).code).toBe(2)
  })

  test.skipIf(can.missing)(`exec uses the same box each time${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    output(
      await t.coop(['exec', 'sh', '-c', 'echo kept >/tmp/file; sleep 1000 >/dev/null 2>&1 </dev/null & :']),
    )
    expect(output(await t.coop(['exec', 'cat', '/tmp/file']))).toBe('kept\n')
    expect(output(await t.coop(['exec', 'pgrep', '-c', 'sleep']))).toBe('2\n') // the agent is a sleep, too
  })

  test.skipIf(can.missing)(`the box is named, found from below, or refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const below = t.folder('home/project/deep/er')
    await startBox(t, { name: 'mine' })
    expect(output(await t.coop(['exec', 'hostname'], { cwd: below }))).toBe('mine\n')
    expect(output(await t.coop(['exec', '-n', 'mine', '--', 'pwd'], { cwd: '/' }))).toBe(`${t.workspace}\n`)
    expect(output(await t.coop(['exec', '-n', t.workspace, 'hostname'], { cwd: '/' }))).toBe('mine\n')
    expect(output(await t.coop(['exec', '--cwd', below, 'pwd']))).toBe(`${below}\n`)
    expectRefusal(await t.coop(['exec', 'true'], { cwd: '/' }), { code: 3, sentence: /no box/, hint: /coop/ })
    expectRefusal(await t.coop(['exec', '-n', 'other', 'true']), {
      code: 3,
      sentence: /other/,
      hint: /coop ls/,
    })
    expectRefusal(await t.coop(['exec', '--cwd', '/no/such', 'pwd']), {
      code: 125,
      sentence: /^coop: there is no folder \/no\/such in the box \[E_FAILED\]\n/,
      hint: /--cwd/,
    })
  })

  test.skipIf(can.missing)(`-e is for this command only${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const print = ['sh', '-c', 'echo "[$A][$B]"']
    expect(output(await t.coop(['exec', '-e', 'A=1', '-e', 'B', ...print], { env: { B: 'b' } }))).toBe(
      '[1][b]\n',
    )
    expect(output(await t.coop(['exec', ...print]))).toBe('[][]\n')
  })

  test.skipIf(can.missing)(`a command ends when its client is killed${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const exec = t.startCoop(['exec', 'sh', '-c', 'echo ready; exec sleep 777'])
    await exec.waitFor(/ready/)
    exec.kill('SIGKILL')
    await exec.finished(5_000)
    const gone = async () => (await t.coop(['exec', 'pgrep', '-f', '^sleep 777'])).code === 1
    await waitUntil(gone, 'the end of the command')
  })

  test.skipIf(can.missing)(
    `fifty commands leave no descriptor and no process behind${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const { pid } = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as { pid: number }
      const round = () =>
        shell(t, 'for n in $(seq 10); do coop exec true & done; wait', { timeoutMs: 10_000 })
      const count = () => readdirSync(join('/proc', `${pid}`, 'fd')).length
      await round()
      const before = count()
      for (let n = 0; n < 5; n++) output(await round())
      await waitUntil(
        () => count() <= before,
        () => `${count()} descriptors to become ${before}`,
      )
      expect(output(await t.coop(['exec', 'sh', '-c', 'ls /proc | grep -c "^[0-9]"']))).toMatch(/^[45]\n/)
    },
  )
})
