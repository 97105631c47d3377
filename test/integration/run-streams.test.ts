/** `coop run` with pipes, files and closed descriptors: bytes pass unchanged, and so do ends of files. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { boxes, needed, nothingLeft, output, shell, startBox } from './support.ts'

const MIB = 2 ** 20
/** Bytes that differ at every place, so that lost, doubled and swapped ones show; cheap to make. */
const flow = (bytes: number) => `seq 100000000 999999999 | head -c ${bytes}`

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const size = invoker === ordinary ? 1024 * MIB : 64 * MIB

  test.skipIf(can.missing)(`${size / MIB} MiB pass through pipes unchanged${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `${flow(size)} | tee >(sha256sum >in.sum) | coop run -- cat | tee >(wc -c >&2) | sha256sum`
    const { code, stdout, stderr } = await shell(t, `set +o pipefail; ${script}`)
    expect({ code, stderr: stderr.trim() }).toEqual({ code: 0, stderr: `${size}` })
    const sum = await waitUntil(() => readFileSync(join(t.workspace, 'in.sum'), 'utf8'), 'the first checksum')
    expect(stdout).toBe(sum)
  })

  test.skipIf(can.missing)(`a command reads and writes the caller's files${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `${flow(32 * MIB)} >../in; coop run -- cat <../in >../out && cmp ../in ../out && wc -c <../out`
    expect((await shell(t, `set +o pipefail; ${script}`)).stdout.trim()).toBe(`${32 * MIB}`)
  })

  test.skipIf(can.missing)(`appending to a file keeps its content${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script =
      'echo one >../log; coop run -- echo two >>../log; coop run -- echo three >>../log; cat ../log'
    expect(output(await shell(t, script))).toBe('one\ntwo\nthree\n')
  })

  test.skipIf(can.missing)(`a file is read from the shell's position${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = 'printf "a\\nb\\nc\\n" >../in; { read first; coop run -- cat; } <../in'
    expect(output(await shell(t, script))).toBe('b\nc\n')
  })

  test.skipIf(can.missing)(
    `a script on standard input goes on after coop run and exec${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const script = `coop() { ${coopPath()} "$@"; }
coop run -- echo first
coop exec -n box -- true
coop run -- sh -c 'read line; echo "read: $line"'
taken by the command
echo last`
      t.write('script', script)
      const all = 'first\nread: taken by the command\nlast\n'
      for (const stdin of ['<script', '< <(cat script)'])
        expect(output(await shell(t, `bash ${stdin}`))).toBe(all)
      // Programs that feed a shell often use sockets, as Bun and node do.
      const kind = await t.run(['sh', '-c', 'readlink /proc/self/fd/0; cat >/dev/null'], { stdin: script })
      expect(output(kind)).toMatch(/^socket:/)
      expect(output(await t.run(['bash'], { stdin: script }))).toBe(all)
    },
  )

  test.skipIf(can.missing)(`/dev/null and closed descriptors are empty and silent${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(output(await shell(t, 'coop run -- wc -c </dev/null'))).toBe('0\n')
    expect(output(await shell(t, 'coop run -- wc -c <&-'))).toBe('0\n')
    expect(await shell(t, 'coop run -- sh -c "echo here >&2" >&-')).toMatchObject({
      code: 0,
      stderr: 'here\n',
    })
    expect(await shell(t, 'coop run -- sh -c "echo here" 2>&-')).toMatchObject({ code: 0, stdout: 'here\n' })
    expect(await shell(t, 'coop run -- sh -c "exit 9" <&- >&- 2>&-')).toMatchObject({ code: 9 })
  })

  test.skipIf(can.missing)(`standard error stays apart from standard output${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const result = await t.coop(['run', '--', 'sh', '-c', 'echo out; echo err >&2; echo more'])
    expect(result).toMatchObject({ code: 0, stdout: 'out\nmore\n', stderr: 'err\n' })
  })

  test.skipIf(can.missing)(`both streams in one pipe keep their order${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const command = 'coop run -- sh -c "echo a; echo b >&2; echo c; echo d >&2"'
    for (const together of ['2>&1', '2>&1 | cat', '>../log 2>&1; cat ../log'])
      expect(output(await shell(t, `${command} ${together}`))).toBe('a\nb\nc\nd\n')
  })

  test.skipIf(can.missing)(`output comes while the command runs, not at its end${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = t.startCoop(['run', '--', 'sh', '-c', 'echo ready; read line; echo "got $line"'])
    await run.waitFor(/ready/)
    run.write('it\n')
    expect((await run.finished()).stdout).toBe('ready\ngot it\n')
  })

  test.skipIf(can.missing)(
    `a command that does not read ends although the pipe is full${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { stdout } = await shell(t, `set +o pipefail; ${flow(8 * MIB)} | coop run -- echo done`)
      expect(stdout).toBe('done\n')
      expect(output(await shell(t, `${flow(MIB)} >../in; coop run -- head -c 10 <../in`))).toBe('100000000\n')
    },
  )

  test.skipIf(can.missing)(`a reader that has seen enough ends the command${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script =
      'set +o pipefail; coop run -- yes | head -1; echo "$(coop run -- sh -c "yes; echo \\$? >&2" 2>&1 | head -1)"'
    expect(output(await shell(t, script, { timeoutMs: 5_000 }))).toBe('y\ny\n')
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`background processes of a command do not delay its end${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = 'coop run -- sh -c "sleep 1000 & echo started"'
    for (const redirect of ['', '| cat', '>../out; cat ../out'])
      expect(output(await shell(t, `${script} ${redirect}`, { timeoutMs: 5_000 }))).toBe('started\n')
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(
    `a box of run is removed afterwards and appears in no listing${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const run = t.startCoop(['run', '--', 'sh', '-c', 'echo ready; read line'])
      await run.waitFor(/ready/)
      expect(await boxes(t)).toEqual([])
      run.closeStdin()
      expect((await run.finished()).code).toBe(1)
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(`output of many runs at once does not mix${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const runs = Array.from({ length: 12 }, async (_, n) =>
      output(await t.coop(['run', '--', 'sh', '-c', `cat; echo ${n}`], { stdin: `in ${n}\n` })),
    )
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 12 }, (_, n) => `in ${n}\n${n}\n`))
    await nothingLeft(t)
  })
})
