/** Gemini CLI. The statements here about its behaviour were tested with version 0.61.0. */

import type { Adapter } from './adapter.ts'
import type { JsonObject } from './settings-json.ts'
import { settledText } from './settings-json.ts'

const FOLDER = '.gemini'
const SETTINGS = `${FOLDER}/settings.json`

export const gemini: Adapter = {
  name: 'gemini',
  command: 'gemini',
  install: 'npm install -g @google/gemini-cli',

  environment: () => ({
    // Skips the trust question; the box is the answer.
    GEMINI_CLI_TRUST_WORKSPACE: 'true',
    // Overrides `tools.sandbox` of the host's settings: a box has no container runtime.
    GEMINI_SANDBOX: 'false',
  }),

  autonomousArgs: () => ['--yolo'],

  folders: [
    {
      path: FOLDER,
      seed: {
        copied: [
          'GEMINI.md',
          'agents',
          'commands',
          'google_accounts.json',
          'policies',
          'settings.json',
          'skills',
        ],
        leftOut: [
          'antigravity',
          'extensions',
          'history',
          'installation_id',
          'oauth_creds.json', // shared by all boxes, see `login`
          'projects.json',
          'state.json',
          'tmp',
          'trustedFolders.json',
        ],
        beside: {},
        edits: { 'settings.json': editSettings },
      },
    },
  ],

  provider: 'gemini',
  login: { folder: FOLDER, name: 'oauth_creds.json' },

  settle(read, { environment }) {
    // Without this choice it asks how to log in, even if a key is set.
    const auth = environment.GEMINI_API_KEY ? { security: { auth: { selectedType: 'gemini-api-key' } } } : {}
    const text = settledText(read(SETTINGS), { general: { enableAutoUpdate: false }, ...auth })
    return text === undefined ? [] : [{ path: SETTINGS, text }]
  },
}

function editSettings(settings: JsonObject, namesHostFile: (value: unknown) => boolean): JsonObject {
  const kept = Object.entries(settings).filter(([key, value]) => !(key === 'hooks' && namesHostFile(value)))
  return Object.fromEntries(kept)
}
