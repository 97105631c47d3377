/** Measures how long commands take. It runs as the boxes' user: a change of ids would be timed, too. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../../test/harness/coop.ts'
import { findLeftovers } from '../../test/harness/leftovers.ts'
import { type Scratch, scratch } from '../../test/harness/sandbox.ts'
import { ordinary } from '../../test/harness/users.ts'
import { waitUntil } from '../../test/harness/wait.ts'
import { daemonStatus } from './daemon.ts'
import { type Contender, compare, line, print, printComparison } from './measure.ts'
import { bwrap, runc, tmuxLs } from './peers.ts'

const coop = (...args: string[]): readonly string[] => [coopPath(), ...args]

export async function warmRun(): Promise<void> {
  await using t = await scratch(ordinary)
  // The cost of starting any program at all.
  const floor: Contender = { name: '(true alone)', command: ['true'] }
  const contenders = [
    { name: 'coop run -- true', command: coop('run', '--', 'true') },
    ...bwrap(),
    ...runc(t),
    floor,
  ]
  const times = await compare(contenders, 40, place(t))
  printComparison('A command in a fresh box, the daemon runs', times, [
    { than: 'bwrap', atMost: 4 },
    { than: 'runc', atMost: 1 },
  ])
  const { creates } = await daemonStatus(t)
  if (creates.length > 0) print(line('in the daemon: creation', creates))
}

export async function coldRun(): Promise<void> {
  await using t = await scratch(ordinary)
  const cold: Contender = {
    name: 'coop run -- true, cold',
    command: coop('run', '--', 'true'),
    prepare: () => shutDown(t),
  }
  const times = await compare([cold, ...runc(t)], 15, place(t))
  printComparison('A command in a fresh box, no daemon runs', times, [{ than: 'runc', atMost: 3 }])
}

export async function list(): Promise<void> {
  await using t = await scratch(ordinary)
  const peers = await tmuxLs(t)
  const { code, stderr } = await t.coop(['-d', '-n', 'listed', '--agent', 'sleep infinity'])
  if (code !== 0) throw new Error(`coop -d: ${stderr}`)
  const times = await compare([{ name: 'coop ls', command: coop('ls') }, ...peers], 40, place(t))
  printComparison('Listing one box', times, [{ than: 'tmux ls', atMost: 3 }])
}

export async function version(): Promise<void> {
  await using t = await scratch(ordinary)
  const contenders = [{ name: 'coop --version', command: coop('--version') }, hello(t)]
  const times = await compare(contenders, 60, place(t))
  printComparison('Printing the version', times, [{ than: 'a compiled hello', atMost: 1.3 }])
}

/** The smallest program that Bun makes an executable of. */
function hello(t: Scratch): Contender {
  const folder = t.folder('hello')
  const source = join(folder, 'hello.ts')
  const made = join(folder, 'made')
  const file = join(folder, 'hello')
  writeFileSync(source, "import { writeSync } from 'node:fs'\nwriteSync(1, 'hello\\n')\n")
  const flags = ['--compile', '--target=bun', '--format=esm', '--bytecode', '--minify']
  const build = Bun.spawnSync([process.execPath, 'build', ...flags, `--outfile=${made}`, source], {
    cwd: folder,
  })
  if (!build.success) throw new Error(`bun build: ${build.stderr.toString()}`)
  writeFileSync(file, readFileSync(made), { mode: 0o755 }) // in one piece, as coop is (scripts/build.mjs)
  return { name: 'a compiled hello', command: [file] }
}

async function shutDown(t: Scratch): Promise<void> {
  await t.coop(['system', 'shutdown'])
  await waitUntil(() => findLeftovers(t.root).length === 0, 'the end of the daemon')
}

const place = (t: Scratch) => ({ cwd: t.workspace, env: t.env })
