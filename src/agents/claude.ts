/** Claude Code. The statements here about its behaviour were tested with version 2.1.329. */

import { join } from 'node:path'
import type { Adapter, BoxFacts, SettingsFile } from './adapter.ts'
import {
  isJsonObject,
  type JsonObject,
  parseJsonObject,
  printJson,
  settledText,
  withDefaults,
} from './settings-json.ts'

const FOLDER = '.claude'
const STATE = `${FOLDER}/.claude.json`
const SETTINGS = `${FOLDER}/settings.json`

// Claude Code remembers an approved key by its end, never the whole key.
const KEY_TAIL_CHARACTERS = 20

export const claude: Adapter = {
  name: 'claude',
  command: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',

  environment: ({ home }) => ({
    // Without it `--dangerously-skip-permissions` refuses to run as uid 0.
    IS_SANDBOX: '1',
    // Makes it trust every folder: the box answers the question that its dialog asks.
    CLAUDE_CODE_SANDBOXED: '1',
    // Moves `~/.claude.json` to `~/.claude/.claude.json`, so that one folder holds everything.
    CLAUDE_CONFIG_DIR: join(home, FOLDER),
    // The installation is the host's, and read-only.
    DISABLE_AUTOUPDATER: '1',
    DISABLE_INSTALLATION_CHECKS: '1',
  }),

  autonomousArgs: () => ['--dangerously-skip-permissions'],

  folders: [
    {
      path: FOLDER,
      seed: {
        copied: [
          'CLAUDE.md',
          'agents',
          'commands',
          'hooks',
          'keybindings.json',
          'output-styles',
          'rules',
          'settings.json',
          'skills',
          'themes',
        ],
        // Listed beside the copied names to show that these were considered. Plugins name host paths in their registry
        // and are installed again on demand; `local` is an installation, not a setting.
        leftOut: [
          '.credentials.json', // shared by all boxes, see `login`
          'backups',
          'cache',
          'debug',
          'file-history',
          'history.jsonl',
          'ide',
          'local',
          'paste-cache',
          'plans',
          'plugins',
          'projects',
          'session-env',
          'sessions',
          'shell-snapshots',
          'stats-cache.json',
          'statsig',
          'tasks',
          'telemetry',
          'todos',
        ],
        beside: { '.claude.json': '.claude.json' },
        edits: { 'settings.json': editSettings, '.claude.json': editState },
      },
    },
  ],

  provider: 'anthropic',
  login: {
    folder: FOLDER,
    name: '.credentials.json',
    // It writes a new file and renames it, which would replace a link. Older versions know only the link.
    variable: 'CLAUDE_SECURESTORAGE_CONFIG_DIR',
  },

  settle(read, facts) {
    const written: SettingsFile[] = []
    const state = settledState(read(STATE), facts)
    if (state !== undefined) written.push({ path: STATE, text: state })
    // Silences the "running in Bypass Permissions mode" warning, whose default answer is to exit.
    const settings = settledText(read(SETTINGS), { skipDangerousModePermissionPrompt: true })
    if (settings !== undefined) written.push({ path: SETTINGS, text: settings })
    return written
  },
}

/** Skips the theme and login screens, and the question about a key that the configuration gives to the box. */
function settledState(current: string | undefined, facts: BoxFacts): string | undefined {
  const state = current === undefined ? {} : parseJsonObject(current)
  if (state === undefined) return undefined
  // Coop notices by the bell that the agent waits; a notification of another kind might not reach a watched terminal.
  const onboarded = withDefaults(state, {
    hasCompletedOnboarding: true,
    preferredNotifChannel: 'terminal_bell',
  })
  const approved = withApprovedKey(onboarded ?? state, facts.environment.ANTHROPIC_API_KEY)
  const changed = approved ?? onboarded
  return changed && printJson(changed)
}

function withApprovedKey(state: JsonObject, key: string | undefined): JsonObject | undefined {
  if (!key) return undefined
  const tail = key.slice(-KEY_TAIL_CHARACTERS)
  const responses = isJsonObject(state.customApiKeyResponses) ? state.customApiKeyResponses : {}
  const approved = Array.isArray(responses.approved) ? responses.approved : []
  const rejected = Array.isArray(responses.rejected) ? responses.rejected : []
  // A key that was refused in the box stays refused.
  if (approved.includes(tail) || rejected.includes(tail)) return undefined
  return { ...state, customApiKeyResponses: { ...responses, approved: [...approved, tail] } }
}

// Settings whose values are or contain commands.
const COMMANDS = [
  'apiKeyHelper',
  'awsAuthRefresh',
  'awsCredentialExport',
  'fileSuggestion',
  'gcpAuthRefresh',
  'hooks',
  'otelHeadersHelper',
  'statusLine',
]

/** Drops commands of files that stay on the host, since they would fail at every step, and the agent's own sandbox. */
function editSettings(settings: JsonObject, namesHostFile: (value: unknown) => boolean): JsonObject {
  const kept = Object.entries(settings).filter(
    ([key, value]) => key !== 'sandbox' && !(COMMANDS.includes(key) && namesHostFile(value)),
  )
  return Object.fromEntries(kept)
}

/** `projects` contains prompts, paths and tokens of the user's other work. */
function editState(state: JsonObject): JsonObject {
  const { projects: _, githubRepoPaths: __, ...kept } = state
  return kept
}
