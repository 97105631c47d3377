/** The places where agents are installed on a host, and the folders that a box may see. */

import { join } from 'node:path'
import { SECRET_FOLDERS } from '../sandbox/sensitive.ts'
import type { AgentName } from './adapter.ts'
import type { HostFiles } from './host-files.ts'
import { isWithin } from './resolve.ts'

export interface HostFacts {
  readonly files: HostFiles
  /** The invoking user's home, free of links. */
  readonly home: string
  /** `$PATH` of the invoking user. */
  readonly path: string
}

/** Folders that every box of the `host` image sees anyway. */
const VISIBLE = ['/usr', '/opt', '/bin', '/lib', '/lib64', '/sbin']

/** Trees of package managers whose programs need each other; they contain no personal files. */
export const STORES = ['/nix/store', '/home/linuxbrew/.linuxbrew']

const SYSTEM = ['/etc', '/proc', '/sys', '/dev', '/run', '/var', '/boot', '/tmp']

const SECRETS = [...SECRET_FOLDERS, '.local/share/coop']

export function isVisible(path: string): boolean {
  return VISIBLE.some((folder) => isWithin(path, folder))
}

/** The reason why a folder or file must not be mounted into a box; undefined if it may be. */
export function refusal(path: string, home: string): string | undefined {
  if (isWithin(home, path)) return `it would show the box ${path}, which holds the whole home folder`
  const secret = SECRETS.map((name) => join(home, name)).find(
    (folder) => isWithin(path, folder) || isWithin(folder, path),
  )
  if (secret !== undefined) return `it would show the box ${path}, which holds or lies in ${secret}`
  if (isWithin(path, home)) return undefined // allowed wherever the home is
  if (/^\/(?:home(?:\/[^/]+)?|root)$/.test(path))
    return `it would show the box ${path}, which holds the homes of others`
  const system = SYSTEM.find((folder) => isWithin(path, folder))
  return system && `it lies in ${system}, which boxes never see`
}

const NPM_PACKAGES: Readonly<Record<AgentName, string | undefined>> = {
  claude: '@anthropic-ai/claude-code',
  codex: '@openai/codex',
  gemini: '@google/gemini-cli',
  opencode: 'opencode-ai',
  aider: undefined,
}

/**
 * Folders that may contain the command, best first. PATH shows the user's choice; the others are searched because a
 * daemon or editor often starts without the user's shell set-up.
 */
export function commandFolders(name: AgentName, { files, home, path }: HostFacts): readonly string[] {
  const onPath = path.split(':').filter((folder) => folder.startsWith('/'))
  const versions = (folder: string, below: string) =>
    [...files.list(join(home, folder))].sort(newestFirst).map((version) => join(home, folder, version, below))
  const npmPackage = NPM_PACKAGES[name]
  const known = [
    '.local/bin',
    '.claude/local/node_modules/.bin',
    '.npm-global/bin',
    '.bun/bin',
    '.opencode/bin',
    '.local/share/pnpm',
    ...(npmPackage === undefined ? [] : [`.volta/tools/image/packages/${npmPackage}/bin`]),
  ].map((folder) => join(home, folder))
  const managed = [
    ...versions('.nvm/versions/node', 'bin'),
    ...versions('.local/share/fnm/node-versions', 'installation/bin'),
    ...versions('.local/share/mise/installs/node', 'bin'),
    ...(npmPackage === undefined
      ? []
      : versions(`.local/share/mise/installs/npm-${npmPackage.replace('@', '').replace('/', '-')}`, 'bin')),
    ...versions('.asdf/installs/nodejs', 'bin'),
  ]
  return [...new Set([...onPath, ...known, ...managed, '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'])]
}

/** Folders that may contain an interpreter; those beside the command come first. */
export function interpreterFolders(beside: readonly string[], facts: HostFacts): readonly string[] {
  const { files, home } = facts
  const volta = join(home, '.volta/tools/image/node')
  const images = [...files.list(volta)].sort(newestFirst).map((version) => join(volta, version, 'bin'))
  return [...new Set([...beside, ...images, ...commandFolders('claude', facts)])]
}

function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true })
}
