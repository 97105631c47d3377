/** Runs install.sh as people do: its text comes from a pipe. */

import { expect } from 'bun:test'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import type { Scratch } from '../harness/sandbox.ts'
import { installer, type ReleaseServer, type Values } from './releases.ts'

export interface InstallOptions {
  readonly shell?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly values?: Values
}

/** The result of `cat install.sh | sh`; the server's address is in the script. */
export async function install(
  t: Scratch,
  server: ReleaseServer | undefined,
  options: InstallOptions = {},
): Promise<RunResult> {
  const { shell = ['/bin/sh'], args = [], env = {}, values = {} } = options
  const { PATH = t.env.PATH, ...others } = env
  // The harness needs the whole PATH to become the user, so the script gets its own from env(1).
  return await t.run(['env', `PATH=${PATH}`, ...shell, '-s', '--', ...args], {
    stdin: installer({ releases: server?.base ?? '', ...values }),
    env: { SHELL: '/bin/bash', ...others },
  })
}

export const coopIn = (t: Scratch, folder = join(t.home, '.local/bin')): string => join(folder, 'coop')

/** What the installed file is: its text for a little coop. */
export const installedText = (t: Scratch): string => readFileSync(coopIn(t), 'utf8')

/** Every file and link below the folders of a test's user, as paths relative to the test's; not what other tests made. */
export function filesOf(t: Scratch): string[] {
  const of = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      if (path === join(t.dataDir, 'images')) return []
      return entry.isDirectory() ? of(path) : [relative(t.root, path)]
    })
  return [t.home, t.dataDir, t.configDir, t.cacheDir].flatMap(of).toSorted()
}

/** Files that an installation of a little coop leaves in a home, beside those of the test itself. */
export const INSTALLED = {
  coop: 'home/.local/bin/coop',
  man: 'home/.local/share/man/man1/coop.1',
  bash: 'home/.local/share/bash-completion/completions/coop',
  zsh: 'home/.local/share/zsh/site-functions/_coop',
  fish: 'home/.config/fish/completions/coop.fish',
  seen: 'data/releases/installed',
} as const

/** A refusal: what happened, the fix, and nothing else. */
export function expectRefused(result: RunResult, sentence: RegExp, hint: RegExp): void {
  expect(result.stderr).toMatch(sentence)
  expect(result.stderr).toMatch(/^coop: \S/m)
  expect(result.stderr.match(/^hint: .*$/m)?.[0]).toMatch(hint)
  expect(result.stderr).not.toMatch(/(?:^|\n)(?:sh|\/bin\/sh|.*install\.sh): (?:line )?\d+:/)
  expect(result.code).toBe(1)
}

/** The only programs beside a shell that the script needs: those of every Debian, Fedora or Alpine. */
export const BASIC =
  'cat chmod cmp cp cut dd expr grep head ldd ls mkdir mktemp mv readlink rm sed sleep sort tail tr uname wc'.split(
    ' ',
  )

/** A folder with the basic programs and these, for PATH. */
export function onlyPrograms(t: Scratch, ...names: readonly string[]): string {
  const folder = t.folder(`programs-${names.join('-')}`)
  for (const name of [...BASIC, ...names]) link(folder, name)
  return folder
}

function link(folder: string, name: string): void {
  const found = Bun.which(name, { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' })
  if (found === null) throw new Error(`this machine has no ${name}`)
  symlinkSync(found, join(folder, name))
}

/** A folder where every program is busybox's; there is nothing else on the PATH. */
export async function onlyBusybox(t: Scratch): Promise<string> {
  const folder = t.folder('only-busybox')
  const applets = (await t.run(['busybox', '--list'])).stdout.trim().split('\n')
  const busybox = Bun.which('busybox', { PATH: '/usr/bin:/bin' }) ?? ''
  for (const name of applets) symlinkSync(busybox, join(folder, name))
  return folder
}

export const modeOf = (file: string): number => statSync(file).mode & 0o7777

/** Temporary files of installers, wherever they may have been left. */
export const temporaryFiles = (t: Scratch): string[] =>
  existsSync(t.home)
    ? (readdirSync(t.home, { recursive: true }) as string[]).filter((name) => name.includes('.coop-install'))
    : []
