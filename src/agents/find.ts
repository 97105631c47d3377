/** Finds the agents installed on this host, and the files that a box needs to run them. */

import { dirname, join } from 'node:path'
import { AGENT_NAMES, type AgentName } from './adapter.ts'
import { ADAPTERS } from './adapters.ts'
import { isShim, type Needs, needsOf, type ReadOnlyMount, Unusable } from './install-mounts.ts'
import { commandFolders, type HostFacts, isVisible } from './places.ts'
import { isWithin, type Link, type Resolved, resolveLinks } from './resolve.ts'

export type { ReadOnlyMount } from './install-mounts.ts'
export type { HostFacts } from './places.ts'
export type { Link } from './resolve.ts'

export interface FoundAgent {
  readonly name: AgentName
  /** Absolute and free of links; the same path inside the box as outside. */
  readonly command: string
  readonly version?: string
  /** Host folders or files to mount read-only; empty for agents under /usr and /opt. */
  readonly mounts: readonly ReadOnlyMount[]
  /** Symlinks to make in the box, so that the agent has its own name on PATH and interpreters resolve. */
  readonly links: readonly Link[]
  /** Folders to put in front of PATH in the box. */
  readonly pathEntries: readonly string[]
}

export interface RefusedAgent {
  readonly name: AgentName
  /** The command that was found. */
  readonly path: string
  /** Half a sentence: "it …". */
  readonly reason: string
}

export interface Discovery {
  /** In order of preference. */
  readonly found: readonly FoundAgent[]
  /** Installed agents that a box cannot use. No agent is in both lists. */
  readonly refused: readonly RefusedAgent[]
}

const LINK_FOLDER = '/usr/local/bin' // on every box's PATH, and in a box's own writable layer
const MANIFEST_BYTES = 64 * 1024 // a package.json of an agent has 1 to 10 kB

export function findAgents(facts: HostFacts): Discovery {
  const found: FoundAgent[] = []
  const refused: RefusedAgent[] = []
  for (const name of AGENT_NAMES) {
    const result = findAgent(name, facts)
    if (result === undefined) continue
    if ('reason' in result) refused.push(result)
    else found.push(result)
  }
  return { found, refused }
}

/** The first usable installation, or the reason why the first one found is unusable; undefined if there is none. */
export function findAgent(name: AgentName, facts: HostFacts): FoundAgent | RefusedAgent | undefined {
  let refused: RefusedAgent | undefined
  for (const folder of commandFolders(name, facts)) {
    const path = join(folder, ADAPTERS[name].command)
    const resolved = resolveLinks(facts.files, path)
    if (resolved === undefined || facts.files.kind(resolved.path) !== 'file') continue
    if (!facts.files.isExecutable(resolved.path) || isShim(path) || isShim(resolved.path)) continue
    try {
      const beside = [folder, ...resolved.links.map((link) => dirname(link.path))]
      return describe(name, path, resolved, needsOf(resolved.path, beside, facts), facts)
    } catch (error) {
      if (!(error instanceof Unusable)) throw error
      refused ??= { name, path, reason: error.message }
    }
  }
  return refused
}

function describe(
  name: AgentName,
  path: string,
  resolved: Resolved,
  needs: Needs,
  facts: HostFacts,
): FoundAgent {
  const { mounts, links, pathEntries } = needs
  const command = resolved.path
  // A box sees names under /usr, too, but the links from there to the program may lead through the home.
  const named = isVisible(path)
    ? resolved.links.filter((link) => !isShown(link.path, mounts))
    : [{ path: join(LINK_FOLDER, ADAPTERS[name].command), target: command }]
  const version = versionOf(command, facts)
  return {
    name,
    command,
    ...(version === undefined ? {} : { version }),
    mounts,
    links: [...named, ...links],
    pathEntries,
  }
}

function isShown(path: string, mounts: readonly ReadOnlyMount[]): boolean {
  return isVisible(path) || mounts.some(({ target }) => isWithin(path, target))
}

const VERSION = /^\d+\.\d+\.\d+[\w.+-]*$/

function versionOf(command: string, { files }: HostFacts): string | undefined {
  // Claude Code's native installer names the file after its version.
  const last = command.slice(command.lastIndexOf('/') + 1)
  if (VERSION.test(last)) return last
  const packageFolder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(command)?.[0]
  if (packageFolder === undefined) return undefined
  try {
    const text = files.readStart(join(packageFolder, 'package.json'), MANIFEST_BYTES) ?? ''
    const version: unknown = JSON.parse(text)?.version
    return typeof version === 'string' && VERSION.test(version) ? version : undefined
  } catch {
    return undefined // the version is only displayed
  }
}
