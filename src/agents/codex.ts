/** Codex. The statements here about its behaviour were tested with version 0.169.0. */

import type { Adapter, SettingsFile } from './adapter.ts'
import { brokeredConfig } from './codex-config.ts'
import { parseJsonObject, printJson } from './settings-json.ts'

const FOLDER = '.codex'
const AUTH = `${FOLDER}/auth.json`
const CONFIG = `${FOLDER}/config.toml`

/** For a broker's box, where the key in the environment counts. It takes the place of a real one from before. */
const PLACEHOLDER = 'coop-placeholder'

export const codex: Adapter = {
  name: 'codex',
  command: 'codex',
  install: 'npm install -g @openai/codex',

  // CODEX_HOME defaults to `~/.codex`, and naming a missing folder would be an error.
  environment: () => ({}),

  autonomousArgs: ({ workspace }) => [
    '--dangerously-bypass-approvals-and-sandbox',
    // The flag above does not answer the trust question. The answers are arguments, because coop does not edit people's
    // TOML files; TOML's basic strings use JSON's escapes.
    '-c',
    `projects={${JSON.stringify(workspace)}={trust_level="trusted"}}`,
    '-c',
    'check_for_update_on_startup=false',
    // A background server would copy Codex itself (400 MB) into the persistent folder. Versions without this key ignore
    // it, but would refuse the flag `--no-daemon`.
    '-c',
    'features.daemon_auto_start=false',
  ],

  folders: [
    {
      path: FOLDER,
      seed: {
        copied: ['AGENTS.md', 'config.toml', 'prompts', 'rules', 'skills'],
        leftOut: [
          '.tmp',
          'archived_sessions',
          'auth.json', // shared by all boxes, see `login`
          'history.jsonl',
          'installation_id',
          'log',
          'logs_2.sqlite',
          'memories_1.sqlite',
          'packages',
          'sessions',
          'shell_snapshots',
          'state_5.sqlite',
          'tmp',
          'version.json',
        ],
        beside: {},
        edits: {},
      },
    },
  ],

  provider: 'openai',
  login: {
    folder: FOLDER,
    name: 'auth.json',
    insteadOf: 'OPENAI_API_KEY',
    // A key, which may come from the `[env]` of one project, stays with that project.
    isShared: (text) => parseJsonObject(text)?.auth_mode !== 'apikey',
  },

  /** The interactive Codex takes no key from the environment: it needs a login, which is this file. */
  settle(read, { environment, broker = {} }) {
    const config = brokeredConfig(read(CONFIG), broker.openai)
    const files: SettingsFile[] = config === undefined ? [] : [{ path: CONFIG, text: config }]
    const key = broker.openai === undefined ? environment.OPENAI_API_KEY : PLACEHOLDER
    const there = read(AUTH)
    const isOurs = there?.includes(PLACEHOLDER) === true
    const isKept = there !== undefined && (broker.openai === undefined ? !isOurs : isOurs)
    if (key && !isKept)
      files.push({ path: AUTH, text: printJson({ auth_mode: 'apikey', OPENAI_API_KEY: key }) })
    return files
  },
}
