/** All adapters, by name. */

import { type Adapter, AGENT_NAMES, type AgentName } from './adapter.ts'
import { aider } from './aider.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'
import { gemini } from './gemini.ts'
import { opencode } from './opencode.ts'

export const ADAPTERS: Readonly<Record<AgentName, Adapter>> = { claude, codex, gemini, opencode, aider }

export function isAgentName(word: string): word is AgentName {
  return AGENT_NAMES.some((name) => name === word)
}
