/** Flags that say how a box is to be made, shared by the commands that make one. */

import { asText, currentFolder } from '../client/exact-text.ts'
import { parseEnvFlags } from '../config/env-flags.ts'
import { isAbsolute, join } from '../core/posix-path.ts'
import type { BoxOptions } from '../protocol/messages.ts'
import type { Arguments, Option } from './command.ts'

export const BOX_OPTIONS = {
  workspace: {
    type: 'string',
    short: 'w',
    value: 'DIR',
    about: 'the folder that the box is about (default: this one)',
  },
  name: { type: 'string', short: 'n', value: 'NAME', about: 'name of the box (default: from the folder)' },
  image: { type: 'string', value: 'REF', about: 'host, debian:bookworm, oci:DIR, rootfs:DIR, …' },
  agent: { type: 'string', value: 'CMD', about: 'claude, codex, gemini, opencode, aider, or any command' },
  network: { type: 'string', value: 'MODE', about: 'host or none' },
  env: {
    type: 'string',
    short: 'e',
    value: 'KEY=VALUE',
    multiple: true,
    about: 'set a variable in the box; KEY alone takes its value here',
  },
} as const satisfies Record<string, Option>

/** Of every command that starts a box. */
export const TRUST_OPTION = {
  trust: { type: 'boolean', about: "accept what the project's coop.toml asks for, and remember it" },
} as const satisfies Record<string, Option>

/** The caller's environment as the daemon may see it. */
export function callerEnvironment(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value
  return env
}

export function workspaceOf(given: string | undefined): string {
  if (given !== undefined && isAbsolute(given)) return asText(given)
  return asText(given === undefined ? currentFolder() : join(currentFolder(), given))
}

export function boxOptions(args: Arguments): BoxOptions {
  const pick = (name: string): Record<string, string> => {
    const value = args.text(name)
    return value === undefined ? {} : { [name]: value }
  }
  return {
    workspace: workspaceOf(args.text('workspace')),
    ...pick('name'),
    ...pick('image'),
    ...pick('agent'),
    ...pick('network'),
    env: parseEnvFlags(args.list('env'), process.env),
    environment: callerEnvironment(),
  }
}
