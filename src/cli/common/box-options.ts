/** Flags for a new box, shared by the commands that make one. */

import { asText, currentFolder } from '../../client/exact-text.ts'
import { parseEnvFlags, unsetNames } from '../../config/env-flags.ts'
import { isAbsolute, join } from '../../core/posix-path.ts'
import type { BoxOptions, Environment, Target } from '../../protocol/shapes/values.ts'
import type { Args, Declared } from './declare.ts'
import { printWarnings } from './output.ts'

export const BOX_OPTIONS = {
  workspace: {
    type: 'string',
    alias: 'w',
    valueHint: 'DIR',
    complete: 'folder',
    description: 'the folder of the project (default: this one)',
  },
  name: {
    type: 'string',
    alias: 'n',
    valueHint: 'NAME',
    description: 'name of the box (default: from the folder)',
  },
  image: {
    type: 'string',
    valueHint: 'REF',
    complete: 'image',
    description: 'host, debian:bookworm, oci:DIR, rootfs:DIR, …',
  },
  agent: {
    type: 'string',
    valueHint: 'CMD',
    complete: 'agent',
    description: 'claude, codex, gemini, opencode, aider, or any command',
  },
  network: { type: 'string', valueHint: 'MODE', complete: 'network', description: 'host or none' },
  env: {
    type: 'string',
    alias: 'e',
    valueHint: 'KEY=VALUE',
    many: true,
    description: 'set a variable in the box; KEY alone takes its value here',
  },
  mount: {
    type: 'string',
    alias: 'm',
    valueHint: 'SRC[:DST[:ro]]',
    many: true,
    complete: 'file',
    description: 'show a folder, a file or a volume in the box',
  },
} as const satisfies Declared

/** The option of every command that starts a box. */
export const TRUST_OPTION = {
  trust: {
    type: 'boolean',
    description: "accept everything that the project's coop.toml asks for, and remember it",
  },
} as const satisfies Declared

// Characters of an environment that surely fits into a message beside a command of the largest size, whatever it needs to
// be written as JSON. Few people have a tenth.
const FITS = 40_000

/**
 * Returns the part of the caller's environment that the daemon may see: all of it, unless it is too large for a message.
 * `about`: the workspace of a new box, or an existing box.
 */
export function callerEnvironment(about: string | Target): Environment {
  const env: Record<string, string> = {}
  let size = 0
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue
    env[name] = value
    size += name.length + value.length
  }
  if (size <= FITS) return env
  const { neededOf } = require('./large-environment.ts') as typeof import('./large-environment.ts')
  return neededOf(env, about)
}

export function workspaceOf(given: string | undefined): string {
  if (given !== undefined && isAbsolute(given)) return asText(given)
  return asText(given === undefined ? currentFolder() : join(currentFolder(), given))
}

/** Reads the values of `-e`, and prints a notice about variables that are unset here. */
export function envOf(pairs: readonly string[], quiet = false): Readonly<Record<string, string>> {
  const env = parseEnvFlags(pairs, process.env)
  if (!quiet)
    printWarnings(
      unsetNames(pairs, process.env).map((name) => `-e ${name} is left out: ${name} is not set here`),
    )
  return env
}

/** Reads the values of `-m`; undefined without any. */
function mountsOf(values: readonly string[] = []): BoxOptions['mounts'] {
  if (!values.length) return undefined
  const { parseMountFlag } =
    require('../../config/mount-flags.ts') as typeof import('../../config/mount-flags.ts')
  const folder = asText(currentFolder())
  return values.map((value) => parseMountFlag(value, folder))
}

export function boxOptions(
  args: Partial<Args<typeof BOX_OPTIONS>> & { readonly quiet?: boolean },
): BoxOptions {
  const workspace = workspaceOf(args.workspace)
  return {
    workspace,
    name: args.name,
    image: args.image,
    agent: args.agent,
    network: args.network,
    env: envOf(args.env ?? [], args.quiet),
    mounts: mountsOf(args.mount),
    environment: callerEnvironment(workspace),
  }
}
