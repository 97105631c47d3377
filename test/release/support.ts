/** Releases made by the real script, from a commit of a copy of this repository. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository } from '../harness/coop.ts'

/** What a release is made of. */
const PARTS = [
  'src',
  'ffi',
  'web',
  'scripts',
  'docs/man',
  'install.sh',
  'CHANGELOG.md',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
]

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. */
export async function ran(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = Bun.spawn([...command], {
    cwd: '/',
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { code: await child.exited, stdout, stderr }
}

export async function worked(
  command: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, stderr } = await ran(command, env)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${stderr}${stdout}`)
  return stdout
}

export interface Folder {
  readonly path: string
  [Symbol.dispose](): void
}

export function temporaryFolder(prefix: string): Folder {
  const path = mkdtempSync(join(tmpdir(), prefix))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A clone with one commit: the same files, author and time give the same commit in every clone. */
export async function commitIn(path: string): Promise<void> {
  mkdirSync(path, { recursive: true })
  for (const part of PARTS)
    if (existsSync(join(repository, part)))
      cpSync(join(repository, part), join(path, part), { recursive: true })
  installIn(path)
  writeFileSync(join(path, '.gitignore'), 'node_modules\ndist/\n')
  const env = {
    ...{ GIT_AUTHOR_DATE: '2026-11-28T12:00:00Z', GIT_COMMITTER_DATE: '2026-11-28T12:00:00Z' },
    ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  }
  const git = (...args: string[]) =>
    worked(['git', '-C', path, '-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], env)
  await git('init', '-q')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'a release')
}

/** Installs what becomes a part of coop, as npm would: a link to other packages would be seen in the bytes. */
function installIn(path: string): void {
  const lock = join('node_modules', '.package-lock.json')
  const { packages } = JSON.parse(readFileSync(join(repository, lock), 'utf8')) as {
    packages: Readonly<Record<string, { readonly dev?: boolean }>>
  }
  const modules = join(path, 'node_modules')
  const names = Object.keys(packages).filter((name) => !packages[name]?.dev)
  for (const name of [...names, lock]) cpSync(join(repository, name), join(path, name), { recursive: true })
  // Its executable is large, and only its content matters.
  for (const name of ['bun', '@oven'])
    if (existsSync(join(repository, 'node_modules', name)))
      symlinkSync(join(repository, 'node_modules', name), join(modules, name))
}

export interface Key {
  /** Of the private key. */
  readonly file: string
  /** The public key. */
  readonly text: string
}

const scriptOf = (clone: string) => ['node', join(clone, 'scripts/release.mjs')]

export async function makeKey(clone: string, file: string): Promise<Key> {
  return { file, text: (await worked([...scriptOf(clone), 'keys', file])).split('\n')[0] ?? '' }
}

/** Makes a release for x64 with little packing. */
export const release = (clone: string, out: string, ...args: readonly string[]): Promise<Ran> =>
  ran([...scriptOf(clone), '--out', out, '--target', 'linux-x64', '--level', '1', ...args])

export const bytesOf = (...path: readonly string[]): Uint8Array => readFileSync(join(...path))
