/** Finds agents in fake homes; shared by the tests of find.ts. */

import type { AgentName } from './adapter.ts'
import { type FakeTree, fakeFiles } from './fake-files.ts'
import { type FoundAgent, findAgent, type RefusedAgent } from './find.ts'

export const HOME = '/home/me'
export const NODE = '#!/usr/bin/env node\n'
export const USR_NODE: FakeTree = { '/usr/bin/node': '+x ELF', '/usr/bin/env': '+x ELF' }

export function look(name: AgentName, tree: FakeTree, path = '/usr/local/bin:/usr/bin') {
  return findAgent(name, { files: fakeFiles(tree), home: HOME, path })
}

export function found(name: AgentName, tree: FakeTree, path?: string): FoundAgent {
  const result = look(name, tree, path)
  if (result === undefined || 'reason' in result) throw new Error(`not found: ${result?.reason}`)
  return result
}

export function refused(name: AgentName, tree: FakeTree, path?: string): RefusedAgent {
  const result = look(name, tree, path)
  if (result === undefined || !('reason' in result)) throw new Error('not refused')
  return result
}

export const sources = (agent: FoundAgent): string[] => agent.mounts.map(({ source }) => source)
