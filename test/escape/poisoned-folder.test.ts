/**
 * The current folder must not bring code into coop's processes on the host.
 *
 * Coop is compiled with Bun, which reads `bunfig.toml` (preload scripts), `.env`, `tsconfig.json` and
 * `package.json` of the current folder before the program's first line, unless told not to at build time.
 *
 * Variables of the caller are another matter: LD_PRELOAD, BUN_OPTIONS and BUN_BE_BUN act on the first
 * process before coop's own code, as on every program that the caller starts; a user who sets them can
 * run programs anyway. But the daemon outlives that caller and serves all others,
 * so it must have none of them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { findLeftovers } from '../harness/leftovers.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'

/** A program as Bun compiles it with its defaults. */
let unhardened: string
/** A program that opens a library which the system does not have. */
let searching: string
let folder: string

beforeAll(() => {
  folder = mkdtempSync('/var/tmp/coop-control-')
  unhardened = compiled('hello', "console.log('hello', process.env.POISONED_BY_DOTENV ?? 'clean')\n")
  searching = compiled(
    'search',
    "require('bun:ffi').dlopen('libnowhere.so.6', { x: { args: [], returns: 'int' } })\n",
  )
  Bun.spawnSync(['chmod', '-R', 'a+rX', folder])
})

function compiled(name: string, code: string): string {
  const program = join(folder, name)
  writeFileSync(`${program}.ts`, code)
  const build = [process.execPath, 'build', '--compile', `--outfile=${program}`, `${program}.ts`]
  const { exitCode, stderr } = Bun.spawnSync(build, { stdout: 'ignore', stderr: 'pipe' })
  if (exitCode !== 0) throw new Error(`The control was not built: ${stderr.toString()}`)
  return program
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Puts every file that Bun or Node might read into the workspace; returns the file that each of them would make. */
function poison(t: Scratch): string {
  const marker = join(t.root, 'marker')
  const mark = (how: string) =>
    `require('node:fs').appendFileSync(${JSON.stringify(marker)}, ${JSON.stringify(`${how}\n`)})\n`
  t.write('preload.cjs', mark('preload'))
  t.write(
    'bunfig.toml',
    'preload = ["./preload.cjs"]\n[run]\npreload = ["./preload.cjs"]\n[test]\npreload = ["./preload.cjs"]\n',
  )
  t.write(
    '.env',
    `POISONED_BY_DOTENV=1\nBUN_OPTIONS=--preload=${t.workspace}/preload.cjs\nNODE_OPTIONS=--require=${t.workspace}/preload.cjs\nCOOP_RUNTIME_DIR=${t.root}/from-dotenv\n`,
  )
  for (const name of ['.env.local', '.env.production', '.env.development'])
    t.write(name, 'POISONED_BY_DOTENV=1\n')
  const elsewhere = { '*': ['./shadow/*', './shadow/index.cjs'], 'node:fs': ['./shadow/index.cjs'] }
  t.write(
    'tsconfig.json',
    JSON.stringify({
      extends: './shadow/tsconfig.json',
      compilerOptions: { baseUrl: '.', paths: elsewhere, jsx: 'react-jsx', jsxImportSource: './shadow' },
    }),
  )
  t.write('shadow/tsconfig.json', JSON.stringify({ compilerOptions: { paths: elsewhere } }))
  t.write('shadow/index.cjs', mark('tsconfig paths'))
  t.write(
    'package.json',
    JSON.stringify({
      name: 'coop',
      type: 'module',
      main: './shadow/index.cjs',
      imports: { '#*': './shadow/index.cjs' },
      exports: './shadow/index.cjs',
      scripts: { preinstall: `touch ${marker}`, start: `touch ${marker}` },
    }),
  )
  for (const name of ['citty', 'consola', '@iarna/toml', 'bun', 'node:fs', 'fs']) {
    t.write(`node_modules/${name}/index.js`, mark(`node_modules/${name}`))
    t.write(
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: '99.0.0', main: 'index.js' }),
    )
  }
  return marker
}

const marks = (marker: string): string => (existsSync(marker) ? readFileSync(marker, 'utf8') : '')

interface DaemonStatus {
  readonly pid: number
}

async function daemonPid(t: Scratch): Promise<number> {
  await t.coop(['ls']) // status does not start a daemon
  const { code, stdout, stderr } = await t.coop(['system', 'status', '--json'])
  if (code !== 0) throw new Error(`coop system status: ${stderr}`)
  return (JSON.parse(stdout) as DaemonStatus).pid
}

describe.each(invokers)('as $name', (invoker) => {
  test('positive control: a program that is compiled with the defaults loads files of the folder', async () => {
    await using t = await scratch(invoker)
    const marker = poison(t)
    const { stdout } = await t.run([unhardened])
    expect(marks(marker)).toContain('preload')
    expect(stdout).not.toContain('clean')
  })

  test.each([['--version'], ['--help'], ['ls'], ['config'], ['nonsense']])(
    'coop %s loads nothing of the current folder',
    async (command) => {
      await using t = await scratch(invoker)
      const marker = poison(t)
      const { signal, stdout, stderr } = await t.coop([command])
      expect(signal).toBeNull()
      expect(marks(marker)).toBe('')
      expect(stdout + stderr).not.toContain('POISONED')
      expect(existsSync(join(t.root, 'from-dotenv'))).toBe(false)
    },
  )

  // Bun looks for a library that the loader does not find in the current folder. LD_DEBUG (ld.so(8)) reports each file.
  const files = { env: { LD_DEBUG: 'files' } }

  test('positive control: a library that the system does not have is looked for in the folder', async () => {
    await using t = await scratch(invoker)
    const { stderr } = await t.run([searching], files)
    expect(stderr.includes(`file=${t.workspace}/libnowhere.so.6`)).toBe(true)
  })

  test.each([['ls'], ['config']])('coop %s looks for no library in the folder', async (command) => {
    await using t = await scratch(invoker)
    for (const name of ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1', 'libpthread.so.0'])
      t.write(name, 'no library')
    const { code, stderr } = await t.coop([command], files)
    expect(code).toBe(0)
    expect(stderr.includes('file=libc.so.6')).toBe(true)
    expect(stderr.split('\n').filter((line) => line.includes(t.workspace))).toEqual([])
  })

  const namespaces = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })

  test.skipIf(namespaces.missing)(
    `the daemon and a box start without loading a file of the folder${namespaces.note}`,
    async () => {
      await using t = await scratch(invoker)
      const marker = poison(t)
      const run = await t.coop(['run', '--', 'sh', '-c', 'echo "[$POISONED_BY_DOTENV]"'])
      expect(run).toMatchObject({ code: 0, stdout: '[]\n' })
      expect(marks(marker)).toBe('')
      expect(existsSync(join(t.root, 'from-dotenv'))).toBe(false)
      const pid = await daemonPid(t)
      // A daemon that stayed in the folder would also read it later, and keep it busy.
      expect((await t.run(['readlink', `/proc/${pid}/cwd`])).stdout).not.toContain(t.workspace)
    },
  )

  // BUN_BE_BUN=1 makes the first process Bun itself, so that no daemon would start: see the test below.
  test.skipIf(namespaces.missing)(
    `the daemon has no variable that makes Bun or the loader run code${namespaces.note}`,
    async () => {
      await using t = await scratch(invoker)
      const marker = poison(t)
      const preload = join(t.workspace, 'preload.cjs')
      const hostile = {
        BUN_OPTIONS: `--preload=${preload}`,
        NODE_OPTIONS: `--require=${preload}`,
        BUN_INSPECT_NOTIFY: `unix://${t.root}/inspect`,
        BUN_CONFIG_VERBOSE_FETCH: 'curl',
        BUN_JSC_useDollarVM: '0',
        LD_BIND_NOW: '1', // stands for LD_PRELOAD, which would need a library
        LD_LIBRARY_PATH: join(t.workspace, 'node_modules'),
      }
      await t.coop(['ls'], { env: hostile })
      const { code, stderr } = await t.coop(['-d', '-n', 'poisoned', '--agent', 'sleep infinity'], {
        env: hostile,
      })
      expect({ code, stderr }).toMatchObject({ code: 0 })

      const pid = await daemonPid(t)
      const names = environmentNames(pid)
      expect(names.length).toBeGreaterThan(0) // its environment could be read
      for (const name of Object.keys(hostile)) expect(names).not.toContain(name)
      expect(names.filter((name) => /^(BUN_|NODE_|LD_)/.test(name))).toEqual([])
      // Every mark comes from a client with that environment; a daemon would add one more for each start.
      const before = marks(marker)
      await t.coop(['system', 'shutdown'])
      await waitUntil(() => !findLeftovers(t.root).some((left) => left.pid === pid), 'the end of the daemon')
      expect((await t.coop(['ls'])).code).toBe(0)
      expect(marks(marker)).toBe(before)
    },
  )

  test('a client that is told to be Bun starts no daemon', async () => {
    await using t = await scratch(invoker)
    const marker = poison(t)
    await t.coop(['--version'], { env: { BUN_BE_BUN: '1' } })
    expect(findLeftovers(t.root).filter((left) => left.pid !== undefined)).toEqual([])
    // The process is Bun with the caller's own arguments, and `--version` reads no folder.
    expect(marks(marker)).toBe('')
  })
})

function environmentNames(pid: number): string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => entry.split('=')[0] ?? '')
}
