/**
 * What docs/configuration.md says of each key beside its schema. Separate from schema.ts, which boxes load. A test
 * (scripts/docs/configuration.test.ts) holds it against the rules of trust and reads every example.
 */
import type { TableName, Tables } from './config.ts'

export interface KeyDoc {
  /** A value as in the file. */
  readonly example: string
  /** What a project's coop.toml may not say, or only if a person accepts it; none: any value without a question. */
  readonly project?: string
  /** The first release with the key; none: 0.1.0. */
  readonly since?: string
}

/** Every key but those that have no effect yet (unbuilt.ts). */
export const KEY_DOCS: { readonly [T in TableName]: { readonly [K in keyof Tables[T]]?: KeyDoc } } = {
  sandbox: {
    image: { example: '"node:lts"', project: 'for every image except `host` and your own' },
    agent: { example: '"codex"', project: 'for commands other than the agents that coop knows' },
    args: { example: '["--model", "opus"]', project: 'for arguments other than yours' },
    shell: { example: '"zsh"', project: 'for programs other than the usual shells' },
    user: { example: '"dev"' },
    hostname: { example: '"build-box"' },
    setup: { example: '["apt-get update && apt-get install -y ripgrep"]', project: 'for each step' },
    mounts: {
      example: '["../common-lib:/lib-src:ro", "npm-cache:~/.npm"]',
      project:
        'for volumes, for what lies outside of the project (always read-only), and for places of the box where programs are',
    },
    tools: { example: '["nvm", "uv"]', project: 'for tools that your own settings leave out' },
    caches: {
      example: '"none"',
      project: 'any value but `"shared"`, which only your own `default.toml` may say',
    },
    nested: { example: 'true', project: 'for `true`' },
    ptrace: { example: 'false', project: 'for `true` where your own settings say `false`' },
  },
  workspace: {
    path: { example: '"/work"', project: 'for places of the box where programs are' },
  },
  network: {
    mode: { example: '"none"', project: 'for a wider network than your own settings allow' },
  },
  session: {
    persist: { example: '[".claude", ".config/my-agent"]' },
    auto_restart: { example: 'false' },
    restart_delay_ms: { example: '5000' },
    notify: {
      example: `'notify-send "$COOP_BOX: $COOP_STATE" "$COOP_TEXT"'`,
      project: 'never, because the command runs on this machine',
    },
    detach_key: { example: '"ctrl-q"' },
  },
  limits: {
    pids: { example: '512', project: 'for more than your own settings allow' },
  },
  input_filter: {
    ctrl_c_debounce_ms: { example: '1000', project: 'for less than your own settings say' },
    block_sequences: {
      example: '["\\u001a"]',
      project: 'for leaving out what your own settings hold back',
    },
  },
  secrets: {
    hide: {
      example: '["*.dump", "/config/prod.yaml"]',
      project: 'for leaving out what your own settings hide',
    },
    show: { example: '["test/fixtures/*.pem"]', project: 'for each pattern' },
    strict: { example: 'true', project: 'for `false` where your own settings say `true`' },
  },
  broker: {
    anthropic: {
      example: '{ key = "env:ANTHROPIC_API_KEY", budget = 20.0 }',
      project: 'never, because it names a key of yours, or a command for this machine',
    },
    openai: {
      example: '{ key = "command:pass show openai", prices = { "gpt-5" = [1.25, 10.0] } }',
      project: 'never, because it names a key of yours, or a command for this machine',
    },
    gemini: {
      example: '{ key = "file:~/.keys/gemini" }',
      project: 'never, because it names a key of yours, or a command for this machine',
    },
  },
  serve: {
    host: { example: '"0.0.0.0"', project: 'never, because it concerns all of coop' },
    port: { example: '8080', project: 'never, because it concerns all of coop' },
  },
  ui: {
    theme: { example: '"midnight"', project: 'never, because it concerns all of coop' },
  },
  update: {
    check: { example: 'true', project: 'never, because it concerns all of coop' },
  },
}

/** The release that had all keys without a `since`. */
export const FIRST_RELEASE = '0.1.0'

/** Variables that coop reads. */
export const VARIABLE_DOCS: Readonly<Record<string, string>> = {
  COOP_IMAGE: 'The image, as `sandbox.image`.',
  COOP_AGENT: 'The agent, as `sandbox.agent`.',
  COOP_NETWORK: 'The network, as `network.mode`.',
  COOP_CONFIG_DIR: 'The folder of `default.toml`. Default: `~/.config/coop` (or below `XDG_CONFIG_HOME`).',
  COOP_DATA_DIR:
    'Boxes, images, volumes and the log. Default: `~/.local/share/coop` (or below `XDG_DATA_HOME`).',
  COOP_CACHE_DIR: 'Downloads. Default: `~/.cache/coop` (or below `XDG_CACHE_HOME`).',
  COOP_RUNTIME_DIR: 'Sockets and locks. Default: `$XDG_RUNTIME_DIR/coop`, or `run` in the data folder.',
  COOP_BASE_URL:
    'The address of releases for `coop update` and `install.sh`. Default: the one that the build has.',
  COOP_DEBUG: 'If set, errors that coop does not expect are printed with the place in the code.',
}

/** Variables that coop sets, and for whom. */
export const SET_VARIABLES: Readonly<Record<string, string>> = {
  COOP_BOX: 'The name of the box. For every program in a box, and for `session.notify`.',
  COOP_WORKSPACE: 'The folder of the box. For `session.notify`.',
  COOP_STATE: 'What the agent is doing. For `session.notify`.',
  COOP_TEXT: 'Its question or message. For `session.notify`.',
}
