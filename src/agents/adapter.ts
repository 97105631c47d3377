/** What coop knows about one agent. Adapters are data and pure functions; none touches a file or a process. */

import type { SeedRule } from './seed.ts'

/** In order of preference: the first installed one is the default. */
export const AGENT_NAMES = ['claude', 'codex', 'gemini', 'opencode', 'aider'] as const
export type AgentName = (typeof AGENT_NAMES)[number]

/** What an adapter may base its answers on. Paths are those inside the box. */
export interface BoxFacts {
  readonly home: string
  readonly workspace: string
  /** The variables that the configuration gives the box, `[env]` and `-e`. */
  readonly environment: Readonly<Record<string, string>>
}

/** A folder of the box's home that outlives the box, as a volume. */
export interface SettingsFolder {
  /** Relative to the box's home. */
  readonly path: string
  /** What of the host's folder of the same name goes into a new volume. */
  readonly seed: SeedRule
}

/** A file of the box's home that has to be written before the agent starts. */
export interface SettingsFile {
  /** Relative to the box's home, always inside one of the adapter's folders. */
  readonly path: string
  readonly text: string
}

/** The text of a file of the box's home, given relative to it; undefined when there is none. */
export type ReadSetting = (path: string) => string | undefined

export interface Adapter {
  readonly name: AgentName
  /** What is looked for on PATH. */
  readonly command: string
  /** The command that installs it, for hints. */
  readonly install: string
  /** Variables that make it run unattended as root of a box. The configuration's `[env]` wins over them. */
  environment(facts: BoxFacts): Readonly<Record<string, string>>
  /** Arguments for an agent that coop starts by itself, with no `args` configured: the brakes are off. */
  autonomousArgs(facts: BoxFacts): readonly string[]
  readonly folders: readonly SettingsFolder[]
  /**
   * Files to write before each start so that no first-run, trust or permission dialog is in the way. Adds
   * what is missing and never changes an answer that is there. The files live in a volume that the box can
   * write: the caller reads them bounded and without following links.
   */
  settle(read: ReadSetting, facts: BoxFacts): readonly SettingsFile[]
}
