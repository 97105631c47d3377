/** Claude Code. What is said here about its behaviour was tried with version 2.1.329. */

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

// How Claude Code remembers that a key was approved: by its end, never the whole.
const KEY_TAIL_CHARACTERS = 20

export const claude: Adapter = {
  name: 'claude',
  command: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',

  environment: ({ home }) => ({
    // Without it `--dangerously-skip-permissions` refuses to run as uid 0.
    IS_SANDBOX: '1',
    // Counts every folder as trusted: the box is the answer to the question that the dialog asks.
    CLAUDE_CODE_SANDBOXED: '1',
    // Moves `~/.claude.json` to `~/.claude/.claude.json`, so that one folder holds everything.
    CLAUDE_CONFIG_DIR: join(home, FOLDER),
    // The installation is the host's and read-only.
    DISABLE_AUTOUPDATER: '1',
    DISABLE_INSTALLATION_CHECKS: '1',
  }),

  autonomousArgs: () => ['--dangerously-skip-permissions'],

  folders: [
    {
      path: FOLDER,
      seed: {
        copied: [
          '.credentials.json',
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
        // Beside the list, so that a reader sees that these were thought of. Plugins name host paths in their
        // registry and are installed again on demand; `local` is an installation, not a setting.
        leftOut: [
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

/** No theme and login screens, and no question about a key that the configuration hands to the box. */
function settledState(current: string | undefined, facts: BoxFacts): string | undefined {
  const state = current === undefined ? {} : parseJsonObject(current)
  if (state === undefined) return undefined
  // The bell is how coop learns that it waits; a terminal of its own liking may not be the one that is looked at.
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
  // A key that somebody refused inside stays refused.
  if (approved.includes(tail) || rejected.includes(tail)) return undefined
  return { ...state, customApiKeyResponses: { ...responses, approved: [...approved, tail] } }
}

// Settings whose value is a command, or holds some.
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

/** Commands of files that stay on the host would fail at every step; the agent's own sandbox has no place in a box. */
function editSettings(settings: JsonObject, namesHostFile: (value: unknown) => boolean): JsonObject {
  const kept = Object.entries(settings).filter(
    ([key, value]) => key !== 'sandbox' && !(COMMANDS.includes(key) && namesHostFile(value)),
  )
  return Object.fromEntries(kept)
}

/** `projects` holds prompts, paths and tokens of the user's other work. */
function editState(state: JsonObject): JsonObject {
  const { projects: _, githubRepoPaths: __, ...kept } = state
  return kept
}
