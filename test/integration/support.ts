/** Shared by the whole-program tests: boxes that stay, shells around coop, and searches for leftovers. */
import { expect } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WindowSize } from '../../src/core/window-size.ts'
import { coopPath } from '../harness/coop.ts'
import { canMakeNamespaces, hasCommand, type Needs, needsAll } from '../harness/facts.ts'
import type { RunOptions, RunResult, Started } from '../harness/process.ts'
import type { Scratch } from '../harness/sandbox.ts'
import type { Terminal, TerminalOptions } from '../harness/terminal.ts'
import { type Invoker, invokers, solo } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'

/** All invokers, with the user whose boxes have a single id. */
export const everyone: readonly Invoker[] = [...new Set([...invokers, ...(solo ? [solo] : [])])]

/** Needs of a box and of commands: `needed(invoker, 'tmux')`. */
export function needed(invoker: Invoker, ...commands: readonly string[]): Needs {
  const facts = Object.fromEntries(commands.map((name) => [name, hasCommand(name)]))
  return needsAll({ 'user namespaces': canMakeNamespaces(invoker), ...facts })
}

/** Runs a bash script in which `coop` is the program under test: pipes, redirections, closed descriptors. */
export async function shell(t: Scratch, script: string, options?: RunOptions): Promise<RunResult> {
  return await t.run(await around(t, script), options)
}

/** Runs the same script beside the test. */
export async function startShell(t: Scratch, script: string, options?: RunOptions): Promise<Started> {
  return t.start(await around(t, script), options)
}

/** Runs the same script in a terminal. */
export async function shellTerminal(
  t: Scratch,
  script: string,
  options?: TerminalOptions,
): Promise<Terminal> {
  return await t.terminal(await around(t, script), options)
}

/**
 * One coop command in a terminal that stays: the screen ends with `CODE n`. A tmux whose pane has ended may
 * lose the last of its output, so the marker proves that the output is complete.
 */
export async function finalScreen(
  t: Scratch,
  command: string,
  options: TerminalOptions & { readonly escapes?: boolean } = {},
): Promise<string> {
  const terminal = await shellTerminal(t, `coop ${command}; echo "CODE $?"; exec cat`, options)
  await terminal.waitFor(/^CODE \d+$/m)
  const screen = await terminal.screen({ history: true, escapes: options.escapes === true })
  await terminal[Symbol.asyncDispose]()
  return screen.trimEnd()
}

async function around(t: Scratch, script: string): Promise<string[]> {
  await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
  return ['bash', '-c', `set -o pipefail; coop() { ${coopPath()} "$@"; }; ${script}`]
}

export interface BoxSettings {
  readonly name?: string
  readonly agent?: string
  readonly flags?: readonly string[]
}

/** An agent's box that stays until the test ends. */
export async function startBox(t: Scratch, settings: BoxSettings = {}): Promise<void> {
  const { name = 'box', agent = 'sleep infinity', flags = [] } = settings
  const { code, stderr } = await t.coop(['-d', '-n', name, '--agent', agent, ...flags])
  if (code !== 0) throw new Error(`The box did not start: ${stderr}`)
}

/** The output of a run; an error when the run did not succeed. */
export function output({ code, signal, stdout, stderr }: RunResult): string {
  if (code !== 0) throw new Error(`It ended with ${signal ?? code}: ${stderr}`)
  return stdout
}

/** An error as a person sees it: a sentence, a hint, the exit code. No stack trace, no error code. */
export function expectRefusal(
  result: RunResult,
  expected: { readonly code: number; readonly sentence: RegExp; readonly hint: RegExp },
): void {
  expect(result.stderr).toMatch(expected.sentence)
  expect(result.stderr).toMatch(/^coop: \S/)
  expect(result.stderr).toMatch(expected.hint)
  expect(result.stderr).toMatch(/^hint: \S/m)
  expect(result.stderr).not.toMatch(/\bundefined\b|\[object|\bat \S+:\d+:\d+|^E_/m)
  expect(result.stdout).toBe('')
  expect(result.code).toBe(expected.code)
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Processes of daemons of this scratch, without zygotes: youngest last. */
export function daemonsOf(t: Scratch): number[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'latin1')
    } catch {
      return ''
    }
  }
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes('--daemon'))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(t.dataDir))
    .filter((pid) => !/^State:\tZ/m.test(read(`/proc/${pid}/status`)))
    .filter((pid) => !isForkOfDaemon(read(`/proc/${pid}/status`), read))
    .map(Number)
}

function isForkOfDaemon(status: string, read: (path: string) => string): boolean {
  const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1] ?? '0'
  return read(`/proc/${parent}/cmdline`).includes('--daemon')
}

/** Waits until no file of any box is left, also in the trash. */
export async function nothingLeft(t: Scratch): Promise<void> {
  const folders = [join(t.dataDir, 'boxes'), join(t.dataDir, 'trash'), join(t.runtimeDir, 'boxes')]
  const left = () => folders.flatMap((folder) => entries(folder).map((name) => join(folder, name)))
  await waitUntil(
    () => left().length === 0,
    () => `the end of ${left().join(', ')}`,
  )
}

export interface BoxJson {
  readonly name: string
  readonly workspace: string
  readonly image: string
  readonly agent: string
  readonly state: string
  readonly created: number
  readonly clients: number
  readonly memory?: number
  readonly reason?: string
  readonly doing?: {
    readonly state: string
    readonly since: number
    readonly text?: string
    readonly from: string
  }
  readonly waiting?: { readonly since: number; readonly text?: string }
  readonly ptys: readonly {
    readonly id: number
    readonly command: readonly string[]
    readonly state: string
    readonly exitCode?: number
    readonly clients: readonly { readonly pid: number; readonly readonly: boolean }[]
    readonly size: WindowSize
  }[]
}

export async function boxes(t: Scratch): Promise<readonly BoxJson[]> {
  return JSON.parse(output(await t.coop(['ls', '--json']))) as BoxJson[]
}

export async function box(t: Scratch, name = 'box'): Promise<BoxJson> {
  const found = (await boxes(t)).find((one) => one.name === name)
  if (!found) throw new Error(`There is no box ${name}`)
  return found
}

/** The daemon's pid; undefined when no daemon runs. */
export async function daemonPid(t: Scratch): Promise<number | undefined> {
  const status = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as { pid?: number }
  return status.pid
}

/** Whether a process is there; one that only waits to be reaped is not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** Kill the daemon, and wait until it is gone; its pid. */
export async function killDaemon(t: Scratch): Promise<number> {
  const pid = await daemonPid(t)
  if (pid === undefined) throw new Error('there is no daemon to kill')
  process.kill(pid, 'SIGKILL')
  await waitUntil(() => !isAlive(pid), 'the end of the daemon')
  return pid
}
