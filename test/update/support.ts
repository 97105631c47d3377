/** Coops that update themselves: real ones, built with the keys of the test, and little programs to update to. */
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../harness/coop.ts'
import type { RunOptions, RunResult } from '../harness/process.ts'
import type { Scratch } from '../harness/sandbox.ts'
import {
  current,
  littleCoop,
  makeRelease,
  next,
  type Release,
  type ReleaseOptions,
  type ReleaseServer,
} from '../install/releases.ts'

/** Builds a real coop of that version, which knows the keys of the test. */
export async function build(version: string, file: string, target?: string): Promise<void> {
  const script = join(repository, 'scripts/build.mjs')
  const keys = [current, next].map(({ text }) => text).join(',')
  const built = Bun.spawn(
    ['node', script, '--release', version, file, '--keys', keys, ...(target ? ['--target', target] : [])],
    { stderr: 'pipe' },
  )
  if ((await built.exited) !== 0) throw new Error(await new Response(built.stderr).text())
}

/** A release whose program only tells its version, so that much can be tried in little time. */
export const little = (version: string, options: Partial<ReleaseOptions> = {}): Release =>
  makeRelease({ version, binary: littleCoop(version), packings: ['zstd'], ...options })

/** An installed coop of a test. */
export class Installed {
  readonly t: Scratch
  readonly path: string
  readonly folder: string
  base: string

  /** Copies the program into a folder of the invoker's. */
  constructor(t: Scratch, program: string, server: ReleaseServer | string) {
    this.t = t
    this.folder = t.folder('home/bin')
    this.path = join(this.folder, 'coop')
    this.base = typeof server === 'string' ? server : server.base
    this.put(program)
  }

  put(program: string, mode = 0o755): void {
    copyFileSync(program, this.path)
    chmodSync(this.path, mode)
    chownSync(this.path, this.t.invoker.uid, this.t.invoker.gid)
  }

  env(extra: RunOptions['env'] = {}): NonNullable<RunOptions['env']> {
    return { COOP_BASE_URL: this.base, ...extra }
  }

  coop(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.t.run([this.path, ...args], { timeoutMs: 60_000, ...options, env: this.env(options.env) })
  }

  update(...args: readonly string[]): Promise<RunResult> {
    return this.coop(['update', ...args])
  }

  /** What it says of itself; the little programs say it, too. */
  async version(): Promise<string> {
    return (await this.coop(['--version'])).stdout.split(' ')[1] ?? ''
  }

  get mode(): number {
    return statSync(this.path).mode & 0o7777
  }

  get owner(): number {
    return statSync(this.path).uid
  }

  get inode(): number {
    return statSync(this.path).ino
  }

  /** Names beside the program, which nobody wants to find. */
  get leftovers(): readonly string[] {
    return readdirSync(this.folder).filter((name) => name !== 'coop')
  }

  /** The kept program. */
  get kept(): string {
    return join(this.t.dataDir, 'releases/previous/coop')
  }

  /** The kept program's record. */
  get record(): { readonly kept: string; readonly by: string } | undefined {
    const file = join(this.t.dataDir, 'releases/previous/record.json')
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  }
}
