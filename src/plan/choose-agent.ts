/** Finds the installed agents, and chooses the one of a box. */
import { existsSync, realpathSync } from 'node:fs'
import { isAgentName } from '../agents/adapters.ts'
import { type ChosenAgent, chooseAgent } from '../agents/choose.ts'
import { type Discovery, findAgents } from '../agents/find.ts'
import { hostFiles, withoutPlanted } from '../agents/host-files.ts'
import type { Config } from '../config/config.ts'
import type { Paths } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import { trustedPath } from '../host/programs.ts'
import type { BoxRequest } from './prepare.ts'
import { placesOf } from './writable.ts'

export const NOTHING_FOUND: Discovery = { found: [], refused: [] }
const DISCOVERY_MS = 2_000 // how long a newly installed agent may go unnoticed; discovery takes a millisecond

let lastDiscovery: { readonly key: string; readonly at: number; readonly discovery: Discovery } | undefined

/** Returns whether everything that was found is still where it was. */
function isThere({ found }: Discovery): boolean {
  return found.every((agent) =>
    [agent.command, ...agent.mounts.map((mount) => mount.source)].every((path) => existsSync(path)),
  )
}

/**
 * Finds the installed agents. An agent gets the user's credentials, so programs that a box put into a folder of PATH do
 * not count.
 */
export function discover(request: BoxRequest, host: HostFacts, paths: Paths): Discovery {
  const { workspace } = request
  const path = request.environment.PATH ?? ''
  const key = [path, workspace, ...request.writable].join('\0')
  const known = lastDiscovery
  if (known?.key === key && performance.now() - known.at < DISCOVERY_MS && isThere(known.discovery))
    return known.discovery
  const discovery = findAgents({
    files: withoutPlanted(hostFiles, request.writable),
    home: realpathSync(host.home),
    path: trustedPath(path, placesOf(paths, workspace, request.writable)),
  })
  lastDiscovery = { key, at: performance.now(), discovery }
  return discovery
}

/**
 * Whether a box is made for its agent, and so gets its login: an agent's box, and one of `coop run` whose command or
 * `--agent` names it.
 */
export const isForAgent = ({ command, overrides, steps }: BoxRequest, { title }: ChosenAgent): boolean =>
  steps === undefined && (!command || command[0] === title || overrides.agent !== undefined)

/** Chooses the agent of a box. A command of `coop run` needs none, so a missing agent is no error there. */
export function choose(request: BoxRequest, { sandbox }: Config, discovery: Discovery): ChosenAgent {
  const { command, existing } = request
  const { agent, args, shell, image } = sandbox
  // Terminals.missingAgent checks later, in the running box, whether it has the agent.
  const mayHave = existing || image !== 'host'
  const hasCommand = (word: string): true | undefined => (mayHave && isAgentName(word)) || undefined
  if (!command) return chooseAgent({ agent, args, shell, hasCommand }, discovery)
  const [name = ''] = command
  const wanted = isAgentName(name) ? discovery.found.find((found) => found.name === name) : undefined
  try {
    return chooseAgent({ agent: wanted?.name ?? agent, args, shell }, discovery)
  } catch {
    return chooseAgent({ agent: shell, args: [], shell }, NOTHING_FOUND)
  }
}
