/** The effective configuration as a type. Names are those of coop.toml; `schema.ts` has the table of its keys. */
import type { ThemeName } from '../themes/names.ts'
import type { BrokeredProvider } from './broker-values.ts'
import type { MountSpec } from './mounts.ts'
import type { PublishedPort } from './values.ts'

export type NetworkMode = 'host' | 'none' | 'veth'

/** The tools of the user's home that boxes of the `host` image can have. */
export const TOOL_NAMES = ['rustup', 'nvm', 'fnm', 'pyenv', 'uv', 'bun', 'deno', 'go'] as const
export type ToolName = (typeof TOOL_NAMES)[number]

/** Whose package managers' caches a box uses. */
export type CacheMode = 'workspace' | 'shared' | 'none'

export interface SandboxConfig {
  readonly image: string
  /** "" means the first known agent that is installed. */
  readonly agent: string
  readonly args: readonly string[]
  readonly shell: string
  readonly user: string
  /** "" means that the host name is made from the box's name. */
  readonly hostname: string
  readonly setup: readonly string[]
  readonly mounts: readonly MountSpec[]
  readonly tools: readonly ToolName[]
  readonly caches: CacheMode
  readonly nested: boolean
  readonly ptrace: boolean
}

export interface WorkspaceConfig {
  readonly mount: string
  /** "" means the same absolute path as outside. */
  readonly path: string
  readonly writable: readonly string[]
}

export interface NetworkConfig {
  readonly mode: NetworkMode
  readonly allow: readonly string[]
  readonly ports: readonly PublishedPort[]
}

export interface SessionConfig {
  readonly persist: readonly string[]
  readonly auto_restart: boolean
  readonly restart_delay_ms: number
  readonly notify: string
  readonly detach_key: string
}

export interface LimitsConfig {
  /** Bytes; null means no limit. */
  readonly memory: number | null
  /** Processors, fractions allowed; null means no limit. */
  readonly cpus: number | null
  readonly pids: number
  /** Bytes; null means no limit. */
  readonly disk: number | null
}

export interface InputFilterConfig {
  readonly ctrl_c_debounce_ms: number
  readonly block_sequences: readonly string[]
}

export interface SecretsConfig {
  readonly hide: readonly string[]
  readonly show: readonly string[]
  readonly strict: boolean
}

/** The providers whose keys stay outside of boxes. */
export interface BrokerConfig {
  readonly anthropic: BrokeredProvider | null
  readonly openai: BrokeredProvider | null
  readonly gemini: BrokeredProvider | null
}

export interface ServeConfig {
  readonly host: string
  readonly port: number
}

export interface UiConfig {
  readonly theme: ThemeName
}

export interface UpdateConfig {
  readonly check: boolean
}

/** The effective configuration. Names are those of coop.toml. */
export interface Config {
  readonly sandbox: SandboxConfig
  readonly workspace: WorkspaceConfig
  readonly env: Readonly<Record<string, string>>
  readonly network: NetworkConfig
  readonly session: SessionConfig
  readonly limits: LimitsConfig
  readonly input_filter: InputFilterConfig
  readonly secrets: SecretsConfig
  readonly broker: BrokerConfig
  readonly serve: ServeConfig
  readonly ui: UiConfig
  readonly update: UpdateConfig
}

/** The values that one layer sets. */
export type ConfigLayer = { readonly [T in keyof Config]?: Partial<Config[T]> }

/** Tables with a fixed set of keys: all but `env`. */
export type Tables = Omit<Config, 'env'>
export type TableName = keyof Tables
