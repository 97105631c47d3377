/** OpenCode keeps settings and data in two XDG folders. From its documentation, https://opencode.ai/docs. */

import type { Adapter } from './adapter.ts'

export const opencode: Adapter = {
  name: 'opencode',
  command: 'opencode',
  install: 'npm install -g opencode-ai',

  environment: () => ({
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    // There is no flag for this; the variable is appended to the configured rules, and the last match wins.
    OPENCODE_PERMISSION: JSON.stringify({ '*': 'allow' }),
  }),

  autonomousArgs: () => [],

  folders: [
    {
      path: '.config/opencode',
      seed: {
        copied: [
          'AGENTS.md',
          'agent',
          'agents',
          'command',
          'commands',
          'opencode.json',
          'opencode.jsonc',
          'themes',
          'tui.json',
        ],
        leftOut: ['bun.lock', 'node_modules', 'package.json', 'plugin', 'plugins'],
        beside: {},
        edits: {},
      },
    },
    {
      path: '.local/share/opencode',
      seed: {
        copied: ['mcp-auth.json'],
        leftOut: [
          'auth.json',
          'bin',
          'log',
          'opencode.db',
          'project',
          'snapshot',
          'storage',
          'tool-output',
          'worktree',
        ],
        beside: {},
        edits: {},
      },
    },
  ],

  login: { folder: '.local/share/opencode', name: 'auth.json' },

  settle: () => [],
}
