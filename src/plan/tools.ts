/**
 * Toolchains in the user's home (rustup, nvm and the like), read-only and at their own paths: programs remember where
 * they were installed. Only for the `host` image, since they need the libraries of this machine.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hostFiles } from '../agents/host-files.ts'
import { TOOL_NAMES, type ToolName } from '../config/config.ts'
import { CoopError } from '../core/errors.ts'
import { placeOf } from '../host/host-place.ts'
import type { ExtraMount } from '../sandbox/compose.ts'
import { isWithin, mountRefusal, type SensitiveFacts } from '../sandbox/sensitive.ts'
import { mayBePlanted } from './git-pointer.ts'

interface Tool {
  /** Files and folders of the home that boxes see. They hold programs and libraries, no logins and no settings. */
  readonly shown: readonly string[]
  /** Folders of programs, the best one first, for a PATH that names none of the tool's. */
  programs(home: string): readonly string[]
  /** Variables that name a shown folder to the tool. */
  readonly variables?: Readonly<Record<string, string>>
}

const TOOLS: Readonly<Record<ToolName, Tool>> = {
  rustup: {
    shown: ['.cargo/bin', '.rustup'],
    programs: () => ['.cargo/bin'],
    variables: { RUSTUP_HOME: '.rustup' },
  },
  nvm: { shown: ['.nvm/versions'], programs: (home) => newest(home, '.nvm/versions/node', 'bin') },
  fnm: {
    shown: ['.local/share/fnm/node-versions'],
    programs: (home) => newest(home, '.local/share/fnm/node-versions', 'installation/bin'),
  },
  pyenv: {
    shown: ['.pyenv'],
    programs: () => ['.pyenv/shims', '.pyenv/bin'],
    variables: { PYENV_ROOT: '.pyenv' },
  },
  uv: { shown: ['.local/bin/uv', '.local/bin/uvx'], programs: () => ['.local/bin'] },
  bun: { shown: ['.bun/bin', '.bun/install/global'], programs: () => ['.bun/bin'] },
  deno: { shown: ['.deno/bin'], programs: () => ['.deno/bin'] },
  go: { shown: ['go/bin'], programs: () => ['go/bin'] },
}

function newest(home: string, folder: string, below: string): readonly string[] {
  const [version] = [...hostFiles.list(join(home, folder))].sort((a, b) =>
    b.localeCompare(a, 'en', { numeric: true }),
  )
  return version === undefined ? [] : [join(folder, version, below)]
}

export interface Tools {
  readonly mounts: readonly ExtraMount[]
  readonly environment: Readonly<Record<string, string>>
  /** In front of the box's PATH, in the order of the user's. */
  readonly before: readonly string[]
  /** Behind the box's PATH: programs of tools that the user's PATH does not name. */
  readonly after: readonly string[]
}

export const NO_TOOLS: Tools = { mounts: [], environment: {}, before: [], after: [] }

/** The tool that holds a program of the home; undefined if none does. */
export const toolOf = (path: string, home: string): ToolName | undefined =>
  TOOL_NAMES.find((name) => TOOLS[name].shown.some((shown) => isWithin(path, join(home, shown))))

/**
 * Plans the tools. What boxes write counts as none, like a link of theirs: it would be a program of one box in another.
 * `used`: places in the box that have something else.
 */
export function planTools(input: {
  readonly names: readonly ToolName[]
  readonly home: string
  /** `$PATH` of the caller. */
  readonly path: string
  readonly writable: readonly string[]
  readonly sensitive: SensitiveFacts
  readonly used: readonly string[]
}): Tools {
  const { home, writable, sensitive, used } = input
  const mountOf = (shown: string): ExtraMount[] => {
    const at = join(home, shown)
    if (!existsSync(at) || used.some((path) => isWithin(path, at) || isWithin(at, path))) return []
    const place = trustedPlace(at, writable)
    if (!place || place.kind === 'other' || mountRefusal(place.source.path, sensitive)) return []
    if (mayBePlanted(join(place.source.path, 'any'), '/', writable)) return []
    return [{ source: place.source, target: at, readonly: true }]
  }
  const entries = input.path.split(':')
  const found = input.names.map((name) => {
    const tool = TOOLS[name]
    const mounts = tool.shown.flatMap(mountOf)
    const has = (folder: string): boolean =>
      mounts.some(({ target }) => isWithin(folder, target) || isWithin(target, folder))
    const programs = tool.programs(home).map((folder) => join(home, folder))
    const named = entries.filter((entry) => has(entry) && isWithin(entry, home) && entry !== home)
    const variables = Object.entries(tool.variables ?? {}).filter(([, folder]) => has(join(home, folder)))
    return { mounts, named, programs: named.length > 0 ? [] : programs.filter(has), variables }
  })
  const named = new Set(found.flatMap((tool) => tool.named))
  return {
    mounts: found.flatMap((tool) => tool.mounts),
    environment: Object.fromEntries(
      found.flatMap(({ variables }) => variables.map(([name, folder]) => [name, join(home, folder)])),
    ),
    before: [...new Set(entries)].filter((entry) => named.has(entry)),
    after: [...new Set(found.flatMap((tool) => tool.programs))],
  }
}

/** A link that a box may have made leads to no tool, and keeps no box from starting. */
function trustedPlace(path: string, writable: readonly string[]): ReturnType<typeof placeOf> {
  try {
    return placeOf(path, writable, 'E_MOUNT')
  } catch (error) {
    if (error instanceof CoopError) return undefined
    throw error
  }
}
