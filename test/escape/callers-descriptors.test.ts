/**
 * The standard input, output and error of the caller. A box with the caller's own pipe could
 * open it once more (/proc/self/fd/1) and read what others wrote into it, or set a flag that all of its holders share;
 * it could write to a file that the caller opened for reading. So the box has pipes of its own. The control is the
 * same attack without a box.
 */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readlinkSync } from 'node:fs'
import { coopPath } from '../harness/coop.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, startBox } from './support.ts'

const coop = coopPath()
/** Opens its output once more, and prints on the other stream what it can read there. */
const READ_BACK = 'exec 4>&1; dd if=/proc/self/fd/4 iflag=nonblock bs=100 count=1 status=none >&2; :'
/** dd sets the flag on the descriptor that it inherits, and not on a file of its own. */
const SET_FLAGS =
  'dd iflag=nonblock count=0 status=none </dev/stdin; dd iflag=nonblock count=0 status=none; ' +
  'dd oflag=nonblock count=0 status=none </dev/null; dd oflag=nonblock count=0 status=none </dev/null >&2; :'
/** Flags of the shell itself: a command substitution runs in another process with another output. */
const FLAGS =
  'F=$(for fd in 0 1 2; do sed -n \'s/^flags:\t//p\' /proc/$$/fdinfo/$fd; done); echo "$F" >>flags'

async function bash(t: Scratch, script: string): Promise<{ stdout: string; stderr: string }> {
  await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
  const { code, stdout, stderr } = await t.run(['bash', '-c', script], { timeoutMs: 20_000 })
  expect({ script, code, stderr: code === 0 ? '' : stderr }).toEqual({ script, code: 0, stderr: '' })
  return { stdout, stderr }
}

/** The reader waits until the writer has ended, so that the secret is in the pipe meanwhile. */
const behindSecret = (command: string): string =>
  `mkfifo go; { echo secret; ${command}; echo over >&9; } 9<>go | { read -r _ <go; cat; }`

async function pipesOfDaemon(t: Scratch): Promise<string[]> {
  const { pid } = JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return target.startsWith('pipe:') ? [target] : []
    } catch {
      return [] // closed meanwhile
    }
  })
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test('positive control: without a box the pipe can be read back, and the flag is shared', async () => {
    await using t = await scratch(invoker, { git: false })
    expect((await bash(t, behindSecret(`sh -c '${READ_BACK}'`))).stderr).toContain('secret')
    await bash(t, `{ sh -c '${SET_FLAGS}'; ${FLAGS}; } < <(echo x) > >(cat) 2> >(cat)`)
    const flags = (await bash(t, 'cat flags')).stdout.split('\n').filter(Boolean)
    expect(flags.map((flag) => Number.parseInt(flag, 8) & 0o4000)).toEqual([0o4000, 0o4000, 0o4000])
  })

  test.skipIf(can.missing)(`a box cannot read back what others write into the pipe${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    for (const how of ['run', 'exec -n box']) {
      const { stdout, stderr } = await bash(t, behindSecret(`${coop} ${how} -- sh -c '${READ_BACK}'`))
      expect({ how, stdout }).toEqual({ how, stdout: 'secret\n' })
      expect(stderr).not.toContain('secret')
      await bash(t, 'rm go')
    }
  })

  test.skipIf(can.missing)(`flags of the caller's pipes stay as they are${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = `${coop} run -- sh -c '${SET_FLAGS}'`
    await bash(t, `{ ${run}; ${FLAGS}; } < <(echo x) > >(cat) 2> >(cat)`)
    const flags = (await bash(t, 'cat flags')).stdout.split('\n').filter(Boolean)
    expect(flags.map((flag) => Number.parseInt(flag, 8) & 0o4000)).toEqual([0, 0, 0])
  })

  test.skipIf(can.missing)(`no descriptor of the caller's is in the box${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const look = 'L=$(for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done); echo "$L" >$OUT'
    for (const how of ['run -e OUT=seen', 'exec -e OUT=seen -n box'])
      for (const streams of ['< <(echo x) > >(cat) 2> >(cat)', '<in >out 2>err', '<>in >>out 2>&1']) {
        await bash(t, 'echo x >in; rm -f seen own')
        await bash(t, `{ OUT=own; ${look}; ${coop} ${how} -- sh -c '${look}'; } ${streams}`)
        const seen = (await bash(t, 'cat seen')).stdout.split('\n').filter(Boolean)
        const own = (await bash(t, 'cat own')).stdout.split('\n').filter(Boolean)
        expect(own.length).toBe(3)
        expect(seen.map((target) => target.replace(/\d+/, ''))).toEqual(['pipe:[]', 'pipe:[]', 'pipe:[]'])
        expect(seen.filter((target) => own.includes(target))).toEqual([])
      }
  })

  test.skipIf(can.missing)(`a file that is open for reading is not written${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await bash(t, 'echo kept >../in')
    await bash(
      t,
      `${coop} run -- sh -c 'echo evil >/proc/self/fd/0; truncate -s 0 /proc/self/fd/0; :' <../in`,
    )
    expect((await bash(t, 'cat ../in')).stdout).toBe('kept\n')
  })

  test.skipIf(can.missing)(
    `a command that is refused leaves nothing open in the daemon${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const before = await pipesOfDaemon(t)
      const long = 'x'.repeat(5000)
      const other = t.folder('other', 0o700)
      const refused = [
        `${coop} exec -n nosuch -- true`,
        `${coop} exec -n box --cwd ${long} -- true`,
        `${coop} run --image ${long} -- true`,
        `${coop} run --network nonsense -- true`,
        `COOP_DATA_DIR=${other} ${coop} run -- true`,
      ]
      // The reader of a pipe's other end sees its end, though no other client comes.
      for (const command of refused) {
        const { stdout } = await bash(t, `${command} 2>&1 | cat`)
        expect({ command, stdout }).toMatchObject({ command, stdout: expect.stringContaining('coop: ') })
      }
      const after = async () => (await pipesOfDaemon(t)).length === before.length
      await waitUntil(after, 'the daemon to close what was refused')
    },
  )
})

describe.each(everyone)('input that a command does not take, as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`stays for the next one, in a file and in a pipe${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const exec = `${coop} exec -n box --`
    await bash(t, 'seq 1 3 >lines')
    const loop = `while read -r line; do ${exec} echo "got $line"; done`
    expect((await bash(t, `${loop} <lines`)).stdout).toBe('got 1\ngot 2\ngot 3\n')
    expect((await bash(t, `seq 1 3 | ${loop}`)).stdout).toBe('got 1\ngot 2\ngot 3\n')
    // A shell reads its lines byte by byte; dd reads the size that it is told.
    const rest = `{ ${exec} sh -c 'read -r one; echo "took $one"'; wc -l; }`
    await bash(t, 'seq 1 30000 >lines')
    expect((await bash(t, `${rest} <lines`)).stdout).toBe('took 1\n29999\n')
    expect((await bash(t, `seq 1 30000 | ${rest}`)).stdout).toBe('took 1\n29999\n')
    const some = `{ ${exec} dd bs=1000 count=90 iflag=fullblock status=none | wc -c; wc -c; }`
    const size = Number((await bash(t, 'wc -c <lines')).stdout)
    expect((await bash(t, `${some} <lines`)).stdout).toBe(`90000\n${size - 90_000}\n`)
  })

  test.skipIf(can.missing)(
    `later output of other processes of the box does not delay the end of a command${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const exec = `${coop} exec -n box -- sh -c 'yes & echo started'`
      for (const way of ['| head -c 8', '>out; head -c 8 out'])
        expect((await bash(t, `${exec} ${way}`)).stdout).toContain('\n')
    },
  )
})
