/** Coop's knowledge about one agent. Adapters are data and pure functions; none touches a file or a process. */

import type { ProviderName } from '../broker/terms/providers.ts'
import type { SeedRule } from './seed.ts'

/** In order of preference: the first installed one is the default. */
export const AGENT_NAMES = ['claude', 'codex', 'gemini', 'opencode', 'aider'] as const
export type AgentName = (typeof AGENT_NAMES)[number]

/** The folder of a box's home with the login of its agent, relative to the home. */
export const LOGIN_FOLDER = '.coop-login'

/** Facts on which an adapter may base its answers. Paths are those inside the box. */
export interface BoxFacts {
  readonly home: string
  readonly workspace: string
  /** The variables that the configuration gives the box: `[env]` and `-e`. */
  readonly environment: Readonly<Record<string, string>>
  /** Addresses at which the box reaches providers through the broker (broker/plan), by provider. */
  readonly broker?: Readonly<Partial<Record<ProviderName, string>>>
}

/** A folder of the box's home that outlives the box, as a volume. */
export interface SettingsFolder {
  /** Relative to the box's home. */
  readonly path: string
  /** The rule for copying the host's folder of the same name into a new volume. */
  readonly seed: SeedRule
}

/** A file of the box's home that must be written before the agent starts. */
export interface SettingsFile {
  /** Relative to the box's home, always inside one of the adapter's folders. */
  readonly path: string
  readonly text: string
}

/**
 * The file that holds an agent's login. All boxes of the agent share one copy, because a provider that renews a token
 * makes older copies of it invalid.
 */
export interface LoginFile {
  /** The settings folder that the agent keeps it in: one of the adapter's folders. */
  readonly folder: string
  readonly name: string
  /** The variable that names the folder of this file to the agent. */
  readonly variable?: string
  /** A variable of `[env]` that takes the place of a login: such a box gets none. */
  readonly insteadOf?: string
  /** Whether a file that a box has made in place of the link is a login for all boxes. All are, by default. */
  isShared?(text: string): boolean
}

/** Reads a file of the box's home, given relative to it; undefined if there is none. */
export type ReadSetting = (path: string) => string | undefined

export interface Adapter {
  readonly name: AgentName
  /** The command to look for on PATH. */
  readonly command: string
  /** The command that installs it, for hints. */
  readonly install: string
  /** Variables that let the agent run unattended as root of a box. The configuration's `[env]` wins over them. */
  environment(facts: BoxFacts): Readonly<Record<string, string>>
  /** Arguments that switch off the agent's own restrictions, for an agent started without configured `args`. */
  autonomousArgs(facts: BoxFacts): readonly string[]
  readonly folders: readonly SettingsFolder[]
  /** The provider whose key takes the place of its login, if the broker serves that. */
  readonly provider?: ProviderName
  readonly login?: LoginFile
  /**
   * Files to write before each start, so that no first-run, trust or permission dialog blocks the agent. Adds missing
   * answers and never changes existing ones. The files lie in a volume that the box can write, so the caller reads them
   * bounded and without following links.
   */
  settle(read: ReadSetting, facts: BoxFacts): readonly SettingsFile[]
}
