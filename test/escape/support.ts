/** Shared by the attacks of this folder: programs of their own, small images, and boxes to run in. */
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canMakeNamespaces, hasCommand, type Needs, needsAll } from '../harness/facts.ts'
import type { RunOptions, RunResult } from '../harness/process.ts'
import type { Scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers, solo } from '../harness/users.ts'

/** All invokers, with the user whose boxes have a single id. */
export const everyone: readonly Invoker[] = [...new Set([...invokers, ...(solo ? [solo] : [])])]

/** Needs of a box and of commands: `needed(invoker, 'gcc')`. */
export function needed(invoker: Invoker, ...commands: readonly string[]): Needs {
  const facts = Object.fromEntries(commands.map((name) => [name, hasCommand(name)]))
  return needsAll({ 'user namespaces': canMakeNamespaces(invoker), ...facts })
}

const compiled = new Map<string, Uint8Array>()

/** A C program, statically linked, so that it runs in any image. */
export function compile(source: string): Uint8Array {
  const known = compiled.get(source)
  if (known) return known
  const folder = mkdtempSync('/var/tmp/coop-attack-')
  try {
    const [input, output] = [join(folder, 'attack.c'), join(folder, 'attack')]
    writeFileSync(input, source)
    const command = ['gcc', '-O1', '-static', '-w', '-o', output, input]
    const { exitCode, stderr } = Bun.spawnSync(command, { stdout: 'ignore', stderr: 'pipe' })
    if (exitCode !== 0) throw new Error(`The attack was not built: ${stderr.toString()}`)
    const program = new Uint8Array(readFileSync(output))
    compiled.set(source, program)
    return program
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a shell script in a fresh box; raises an error when coop itself fails. */
export async function inBox(t: Scratch, script: string, options: readonly string[] = []): Promise<string> {
  return said(await t.coop(['run', ...options, '--', 'sh', '-c', script]))
}

/** Runs the same script with namespaces only, without coop's other protections. */
export async function unprotected(t: Scratch, script: string, options?: RunOptions): Promise<string> {
  const namespaces = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--mount-proc']
  return said(await t.run(['unshare', ...namespaces, 'sh', '-c', script], options))
}

/** The output of a run; an error when coop itself failed. */
export function said({ code, stdout, stderr }: RunResult): string {
  if (code === 125 || stderr.startsWith('coop: ')) throw new Error(`coop failed (${code}): ${stderr}`)
  return stdout
}

/** A box that stays until the test ends. */
export async function startBox(t: Scratch, name = 'box', agent = 'sleep infinity'): Promise<void> {
  const { code, stderr } = await t.coop(['-d', '-n', name, '--agent', agent])
  if (code !== 0) throw new Error(`The box did not start: ${stderr}`)
}

/** Like `inBox` with `-t`: its input stays open until it ends, since a terminal whose input ends is hung up. */
export async function onTerminal(t: Scratch, args: readonly string[]): Promise<string> {
  const shown = said(await t.startCoop(args).finished())
  return shown.replaceAll('\r', '').replace(/^(?:\x1b\[[\d;?]*[A-Za-z])+|(?:\x1b\[[\d;?]*[A-Za-z])+$/g, '')
}

/** Lines of `name=value` as a record. */
export function answers(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const [, name, value] = /^([^=\s]+)=(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(pairs)
}

const IMAGE_PROGRAMS = [
  'sh',
  'cat',
  'ls',
  'stat',
  'touch',
  'id',
  'readlink',
  'ln',
  'mkdir',
  'mv',
  'rm',
] as const

/** The smallest root file system that can run a shell, owned by the invoker. Returns its folder. */
export function smallImage(t: Scratch, name = 'image'): string {
  const root = t.folder(name)
  for (const program of IMAGE_PROGRAMS) {
    const path = Bun.which(program) ?? `/bin/${program}`
    install(t, root, path, `/bin/${program}`)
    const { stdout } = Bun.spawnSync(['ldd', path])
    for (const [library] of stdout.toString().matchAll(/\/\S+\.so\S*/g)) install(t, root, library, library)
  }
  return root
}

function install(t: Scratch, root: string, from: string, to: string): void {
  const target = join(root, to)
  t.folder(dirname(target))
  copyFileSync(from, target)
  chmodSync(target, 0o755)
}

/** Mount points of the box, as `/proc/self/mountinfo` has them: path to options. */
export function mountOptions(mountinfo: string): Map<string, string> {
  const lines = mountinfo.split('\n').filter(Boolean)
  return new Map(lines.map((line) => [line.split(' ')[4] ?? '', line.split(' ')[5] ?? '']))
}
