/** Many boxes, many terminals, many clients; one client does not read. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { SOCK_DGRAM } from '../../ffi/abi/constants.ts'
import { connectUnix, isCrowded, sendDescriptors } from '../../ffi/descriptors.ts'
import { pipe } from '../../ffi/pipes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { coopPath } from '../harness/coop.ts'
import { asInvoker, type RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { boxes, needed, nothingLeft, output, startBox } from '../integration/support.ts'
import { Checker } from './soak.ts'

const BOXES = 64
const CLIENTS = 8
const AT_ONCE = Number(process.env.COOP_SOAK_AT_ONCE ?? 100)
const FEW_DESCRIPTORS = 2.2 // of a daemon, for each client: one is its connection, three its pipes, three its box's
const can = needed(ordinary, 'script')

interface Client {
  readonly checker: Checker
  readonly pid: number
  readonly text: () => string
  end(): Promise<void>
}

/** A client whose output is checked as it comes; `script` gives it a terminal. */
function attach(t: Scratch, ...args: string[]): Client {
  const checker = new Checker()
  let tail = ''
  const child = Bun.spawn(
    asInvoker(t.invoker, ['script', '-qfc', `${coopPath()} ${args.join(' ')}`, '/dev/null']),
    {
      cwd: t.workspace,
      env: { ...t.env },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  )
  const shown = (async () => {
    for await (const bytes of child.stdout) {
      checker.push(bytes)
      tail = (tail + Buffer.from(bytes.subarray(-4096)).toString('latin1')).slice(-4096)
    }
  })()
  return {
    checker,
    pid: child.pid,
    text: () => tail,
    end: async () => {
      child.kill('SIGKILL')
      await child.exited
      await shown
    },
  }
}

/** Runs that many commands at once; returns those that did not print their own number and succeed. */
async function failures(start: (number: string) => Promise<RunResult>): Promise<string[]> {
  const numbers = Array.from({ length: AT_ONCE }, (_, i) => `${i}`)
  const results = await Promise.all(numbers.map(async (number) => ({ number, ...(await start(number)) })))
  return results
    .filter(({ number, code, stdout }) => code !== 0 || stdout !== `${number}\n`)
    .map(({ number, code, stdout, stderr }) => `${number}: ${code} ${stdout}${stderr}`)
}

const options = { timeoutMs: 600_000 } // the tests run alone on the machine

describe('at once', () => {
  const box = needed(ordinary)
  test.skipIf(box.missing)(
    `${AT_ONCE} boxes are made, none in vain${box.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      // The first client starts the daemon, and no other client starts a second one.
      expect(await failures((number) => t.coop(['run', '--', 'echo', number], options))).toEqual([])
      await nothingLeft(t)
    },
    600_000,
  )

  test.skipIf(box.missing)(
    `${AT_ONCE} commands run in one box, none in vain${box.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      await startBox(t)
      const start = (number: string) => t.coop(['exec', '-n', 'box', '--', 'echo', number], options)
      expect(await failures(start)).toEqual([])
    },
    600_000,
  )

  test.skipIf(box.missing)(
    `a daemon with few descriptors makes ${AT_ONCE} boxes one after the other${box.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      const limit = `${Math.ceil(FEW_DESCRIPTORS * AT_ONCE) + 100}`
      const [soft, hard] = ['64', limit] // coop raises the soft limit to the hard one
      output(
        await t.run(['prlimit', `--nofile=${soft}:${hard}`, '--', coopPath(), 'run', '--', 'echo', 'first']),
      )
      expect(await failures((number) => t.coop(['run', '--', 'echo', number], options))).toEqual([])
    },
    600_000,
  )

  test.skipIf(box.missing)(
    `unclaimed descriptors do not block those of other clients${box.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      await startBox(t)
      const desk = connectUnix(join(t.runtimeDir, 'fds.sock'), SOCK_DGRAM)
      const ends = pipe()
      const send = (token: string): boolean => {
        try {
          sendDescriptors(desk, Buffer.from(token), ends)
          return true
        } catch (error) {
          if (!isCrowded(error)) throw error
          return false
        }
      }
      for (let at = 0; at < 40; at++) await waitUntil(() => send(`1.lost-${at}`), 'room for descriptors')
      expect(await t.coop(['exec', '-n', 'box', '--', 'echo', 'here'])).toMatchObject({ stdout: 'here\n' })
      closeDescriptor(desk)
      ends.forEach(closeDescriptor)
    },
  )
})

describe('as an ordinary user', () => {
  test.skipIf(can.missing)(
    `${BOXES} boxes with two terminals each, all of them busy${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      const chat = (name: string) =>
        `i=0; while :; do i=$((i+1)); echo ${name} $i; read -t 0.2 x <> <(:); done`
      const agent = (name: string) => `bash -c '${chat(name)}'`
      for (let at = 0; at < BOXES; at += 8) {
        const some = Array.from({ length: 8 }, (_, i) => `b${at + i}`)
        await Promise.all(
          some.map(async (name) =>
            output(await t.coop(['-d', '-n', name, '-w', t.folder(`w/${name}`), '--agent', agent(name)])),
          ),
        )
      }
      const shells: Client[] = []
      for (let at = 0; at < BOXES; at++)
        shells.push(
          attach(t, 'shell', `b${at}`, '--new', '-c', `"echo shell-$((${at}+1000)); exec sleep 1000"`),
        )
      try {
        await waitUntil(
          () => shells.every((shell, at) => shell.text().includes(`shell-${at + 1000}`)),
          'every shell',
          60_000,
        )
        const all = await boxes(t)
        expect(all).toHaveLength(BOXES)
        for (const box of all) {
          expect(box).toMatchObject({ state: 'running', ptys: [{ id: 0 }, { id: 1 }] })
          expect(box.ptys[1]?.clients).toHaveLength(1)
        }
        // Every agent makes progress, and each prints its own name.
        const count = async (name: string): Promise<number> => {
          const lines = (await t.coop(['logs', name, '-n', '2'])).stdout.trim().split('\n')
          expect(lines[0]).toStartWith(`${name} `)
          return Number(lines[0]?.split(' ')[1])
        }
        for (const name of ['b0', 'b31', 'b63']) {
          const before = await count(name)
          await waitUntil(async () => (await count(name)) > before, `${name} to go on`)
        }
      } finally {
        await Promise.all(shells.map((shell) => shell.end()))
      }
    },
  )

  test.skipIf(can.missing)(
    `of ${CLIENTS} clients on one terminal a stopped one slows nobody, and recovers${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      const agent = 'sh -c "sleep 0.5; exec seq 1000000 99999999999"'
      output(await t.coop(['-d', '-n', 'busy', '--agent', agent]))
      const clients = Array.from({ length: CLIENTS }, () => attach(t, 'attach', 'busy'))
      try {
        const [stopped, ...others] = clients
        if (!stopped) throw new Error('no client')
        await waitUntil(
          () => clients.every(({ checker }) => checker.lines > 1_000),
          'lines everywhere',
          30_000,
        )
        const info = (await boxes(t))[0]
        expect(info?.clients).toBe(CLIENTS)
        process.kill(stopped.pid, 'SIGSTOP') // the reader of the client's terminal: without it the client cannot write
        const before = others.map(({ checker }) => checker.lines)
        await waitUntil(
          () => others.every(({ checker }, at) => checker.lines > (before[at] ?? 0) + 100_000),
          'the others to go on',
          30_000,
        )
        const position = stopped.checker.last ?? 0
        process.kill(stopped.pid, 'SIGCONT')
        const reached = Math.min(...others.map(({ checker }) => checker.last ?? 0))
        await waitUntil(() => (stopped.checker.last ?? 0) > reached, 'it to be where the others are', 30_000)
        expect(reached).toBeGreaterThan(position)
        for (const { checker } of others) expect(checker.wrong).toEqual([])
      } finally {
        await Promise.all(clients.map((client) => client.end()))
      }
    },
  )
})
