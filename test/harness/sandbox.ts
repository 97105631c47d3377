/**
 * A separate place for one test: home, state folders and a git repository, all owned by the invoker.
 *
 *     await using t = await scratch(invoker)
 *     const { code } = await t.coop(['run', '--', 'true'])
 *
 * At the end every box and the daemon are ended; a remaining process or mount is an error.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { coopPath } from './coop.ts'
import { endLeftovers, findLeftovers } from './leftovers.ts'
import {
  asInvoker,
  type Context,
  type RunOptions,
  type RunResult,
  runProgram,
  type Started,
  startProgram,
} from './process.ts'
import { borrowSkeletons, keepSkeletons } from './skeletons.ts'
import { Terminal, type TerminalOptions } from './terminal.ts'
import type { Invoker } from './users.ts'
import { waitUntil } from './wait.ts'

const END_TIMEOUT_MS = 20_000 // for each of the two commands that end what is left
const GONE_TIMEOUT_MS = 5_000 // the kernel tears down a box's mounts after its last process

export interface ScratchOptions {
  /** Make the workspace a git repository with one commit (default true). */
  readonly git?: boolean
  /** The time for processes and mounts to go at the end. */
  readonly goneTimeoutMs?: number
}

export async function scratch(invoker: Invoker, options: ScratchOptions = {}): Promise<Scratch> {
  const t = new Scratch(invoker, options.goneTimeoutMs)
  if (options.git !== false && Bun.which('git') !== null) await t.makeRepository()
  return t
}

export class Scratch implements AsyncDisposable {
  readonly invoker: Invoker
  /** All files of this test are below it; no other path of the system contains its name. */
  readonly root: string
  readonly home: string
  /** The current folder of every program that the test runs. */
  readonly workspace: string
  readonly configDir: string
  readonly dataDir: string
  readonly cacheDir: string
  readonly runtimeDir: string
  /** The whole environment of programs: nothing of the environment of the tests gets through. */
  readonly env: Readonly<Record<string, string>>
  readonly #running: AsyncDisposable[] = []
  readonly #goneTimeoutMs: number
  #terminals = 0
  #usedCoop = false

  constructor(invoker: Invoker, goneTimeoutMs = GONE_TIMEOUT_MS) {
    this.invoker = invoker
    this.#goneTimeoutMs = goneTimeoutMs
    // Short: the path of a unix socket has 107 bytes, and box names need most of them.
    this.root = join(baseFolder(), `ct-${crypto.randomUUID().slice(0, 8)}`)
    this.home = this.folder('home', 0o700)
    this.workspace = this.folder('home/project')
    this.configDir = this.folder('config', 0o700)
    this.dataDir = this.folder('data', 0o700)
    this.cacheDir = this.folder('cache', 0o700)
    this.runtimeDir = this.folder('r', 0o700)
    borrowSkeletons(this)
    this.env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: this.home,
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      COOP_CONFIG_DIR: this.configDir,
      COOP_DATA_DIR: this.dataDir,
      COOP_CACHE_DIR: this.cacheDir,
      COOP_RUNTIME_DIR: this.runtimeDir,
    }
  }

  /** Makes a folder of the invoker's with its parents; returns its path. */
  folder(path: string, mode = 0o755): string {
    const full = resolve(this.root, path)
    if (!existsSync(full)) {
      if (full !== this.root) this.folder(dirname(full))
      mkdirSync(full)
      this.#own(full, mode)
    }
    return full
  }

  /** Writes a file of the invoker's, relative to the workspace; returns its path. */
  write(path: string, content: string | Uint8Array, mode = 0o644): string {
    const full = resolve(this.workspace, path)
    this.folder(dirname(full))
    writeFileSync(full, content)
    this.#own(full, mode)
    return full
  }

  /** Writes the user's own settings, which need no acceptance, unlike a project's coop.toml. */
  settings(text: string): string {
    return this.write(join(this.configDir, 'default.toml'), text)
  }

  /** Runs coop to its end. */
  coop(args: readonly string[], options?: RunOptions): Promise<RunResult> {
    this.#usedCoop = true
    return this.run([coopPath(), ...args], options)
  }

  /** Starts coop beside the test. */
  startCoop(args: readonly string[], options?: RunOptions): Started {
    this.#usedCoop = true
    return this.start([coopPath(), ...args], options)
  }

  /** Starts coop in a real terminal. */
  coopTerminal(args: readonly string[], options?: TerminalOptions): Promise<Terminal> {
    this.#usedCoop = true
    return this.terminal([coopPath(), ...args], options)
  }

  /** Runs any program as the invoker, in the same environment as coop. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult> {
    return runProgram(this.#context(), command, options)
  }

  start(command: readonly string[], options?: RunOptions): Started {
    const started = startProgram(this.#context(), command, options)
    this.#running.push(started)
    return started
  }

  async terminal(command: readonly string[], options?: TerminalOptions): Promise<Terminal> {
    const socket = join(this.root, `tmux-${++this.#terminals}`)
    const terminal = new Terminal(this.#context(), socket)
    this.#running.push(terminal)
    await terminal.start(command, options)
    return terminal
  }

  /** A git repository with one commit, like most workspaces. */
  async makeRepository(): Promise<void> {
    this.write('README.md', '# A project\n')
    this.write(
      join(this.home, '.gitconfig'),
      '[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n',
    )
    for (const args of [
      ['init', '-q'],
      ['add', '-A'],
      ['commit', '-q', '-m', 'First'],
    ]) {
      const { code, stderr } = await this.run(['git', ...args])
      if (code !== 0) throw new Error(`git ${args.join(' ')} failed: ${stderr}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running.toReversed()) await running[Symbol.asyncDispose]()
    const said: string[] = []
    if (this.#usedCoop) {
      said.push(await this.#end(['kill', '--all', '-f']))
      said.push(await this.#end(['system', 'shutdown']))
    }
    const left = await this.#leftovers()
    if (left.length > 0) await endLeftovers(this.root)
    await this.#remove()
    if (left.length > 0) {
      throw new Error(`The test left something behind:\n${left.join('\n')}\n${said.join('\n')}`)
    }
  }

  /** Processes and mounts that remain when all had the time to go. */
  async #leftovers(): Promise<string[]> {
    const describeAll = () => findLeftovers(this.root).map((leftover) => leftover.description)
    try {
      await waitUntil(() => describeAll().length === 0, 'the end of everything', this.#goneTimeoutMs)
      return []
    } catch {
      return describeAll()
    }
  }

  async #end(args: readonly string[]): Promise<string> {
    try {
      const { code, stderr } = await this.coop(args, { timeoutMs: END_TIMEOUT_MS, cwd: '/' })
      return `coop ${args.join(' ')}: ${code} ${stderr}`
    } catch (error) {
      return String(error)
    }
  }

  async #remove(): Promise<void> {
    keepSkeletons(this)
    // Files of a box may belong to subordinate ids, and overlayfs makes folders without any permission: only
    // root of a user namespace with the same ids may remove those. Never across a mount: a mounted workspace is not ours.
    const rm = ['rm', '-rf', '--one-file-system', '--', this.root]
    if (await succeeds(rm)) return
    const asRoot = [
      'unshare',
      '--user',
      '--map-root-user',
      ...(this.invoker.hasRange ? ['--map-auto'] : []),
      '--',
    ]
    if (await succeeds(asInvoker(this.invoker, [...asRoot, ...rm]))) return
    throw new Error(`Could not remove ${this.root}`)
  }

  #own(path: string, mode: number): void {
    chmodSync(path, mode)
    if (process.getuid?.() !== this.invoker.uid) chownSync(path, this.invoker.uid, this.invoker.gid)
  }

  #context(): Context {
    return { invoker: this.invoker, cwd: this.workspace, env: this.env }
  }
}

async function succeeds(command: string[]): Promise<boolean> {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' }
  return (await Bun.spawn(command, { env, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).exited) === 0
}

const OVERLAYFS_SUPER_MAGIC = 0x794c7630 // linux/magic.h

/** A file system that can hold a box's upper: an overlay, as in most containers, cannot be the upper of another. */
export function baseFolder(): string {
  const wanted = process.env.COOP_TEST_DIR
  if (wanted !== undefined) return wanted
  const isPlain = (folder: string) => existsSync(folder) && statfsSync(folder).type !== OVERLAYFS_SUPER_MAGIC
  return ['/tmp', '/var/tmp', '/dev/shm'].find(isPlain) ?? '/tmp'
}
