/**
 * Facts about this machine, for tests that depend on them:
 *
 *     const tmux = needs('tmux')
 *     test.skipIf(tmux.missing)(`attaches${tmux.note}`, ...)
 *
 * The name of a skipped test then names its needs.
 */
import { asInvoker } from './process.ts'
import type { Invoker } from './users.ts'

export interface Needs {
  readonly missing: boolean
  /** Empty, or ` (needs a, b)`. */
  readonly note: string
}

/** A named fact and whether it holds: `{ 'a cgroup v2 controller': false }`. */
export function needsAll(facts: Readonly<Record<string, boolean>>): Needs {
  const absent = Object.keys(facts).filter((name) => facts[name] !== true)
  return { missing: absent.length > 0, note: absent.length > 0 ? ` (needs ${absent.join(', ')})` : '' }
}

/** Needs of commands. */
export function needs(...commands: readonly string[]): Needs {
  return needsAll(Object.fromEntries(commands.map((name) => [name, hasCommand(name)])))
}

/** Searches like the programs of the tests: an ordinary user's PATH may lack the sbin folders. */
export function hasCommand(name: string): boolean {
  const path = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`
  return Bun.which(name, { PATH: path }) !== null
}

/** Whether the invoker may make a user namespace and mount in it, as every box needs. */
export function canMakeNamespaces(invoker: Invoker): boolean {
  const probe = ['unshare', '--user', '--map-root-user', '--mount', '--pid', '--fork', 'true']
  return Bun.spawnSync(asInvoker(invoker, probe), { cwd: '/', stdout: 'ignore', stderr: 'ignore' }).success
}

/** The kernel's version, as [6, 18]. */
export function kernelVersion(): readonly [number, number] {
  const release = Bun.spawnSync(['uname', '-r']).stdout.toString()
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return [Number(major), Number(minor)]
}
