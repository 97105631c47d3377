/** Aider keeps nothing in the home that a box needs: keys come from the environment. From https://aider.chat/docs. */

import type { Adapter } from './adapter.ts'

export const aider: Adapter = {
  name: 'aider',
  command: 'aider',
  install: 'uv tool install aider-chat',

  environment: () => ({
    // The installation is the host's, and read-only.
    AIDER_CHECK_UPDATE: 'false',
    AIDER_SHOW_RELEASE_NOTES: 'false',
  }),

  autonomousArgs: () => ['--yes-always'],

  folders: [],

  settle: () => [],
}
