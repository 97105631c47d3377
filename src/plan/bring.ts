/** What a box gets from its user's machine besides the workspace, the image and configured mounts. */
import type { BoxFacts } from '../agents/adapter.ts'
import type { ChosenAgent } from '../agents/choose.ts'
import type { Config } from '../config/config.ts'
import type { Paths } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import type { ExtraMount } from '../sandbox/compose.ts'
import type { Source } from '../sandbox/plan.ts'
import { installationMounts, persistentMounts, settings, workspaceKey } from './agent-files.ts'
import { planCaches } from './caches.ts'
import { isForAgent } from './choose-agent.ts'
import { type Login, planLogin } from './login.ts'
import type { Missing, Setting } from './missing.ts'
import type { BoxRequest } from './prepare.ts'

export interface Brought {
  readonly mounts: readonly ExtraMount[]
  readonly links: readonly { readonly at: string; readonly to: string }[]
  readonly environment: Readonly<Record<string, string>>
  /** Weaker than the variables of the image. */
  readonly weakEnvironment: Readonly<Record<string, string>>
  /** Files of the box's home, by path. */
  readonly homeFiles: Readonly<Record<string, string>>
  /** Folders to put in front of PATH. */
  readonly pathEntries: readonly string[]
  readonly missing: readonly Missing[]
  readonly settings: readonly Setting[]
  readonly login?: Login
}

/** A step of a build gets the installation of its agent, and nothing that differs between workspaces. */
export function bring(input: {
  readonly request: BoxRequest
  readonly chosen: ChosenAgent
  readonly config: Config
  readonly box: BoxFacts
  readonly workspace: Source
  readonly paths: Paths
  readonly host: HostFacts
}): Brought {
  const { request, chosen, config, box, workspace, paths, host } = input
  const isStep = request.steps !== undefined
  const persistent = persistentMounts({ chosen, config, workspace, paths, host })
  const adapter = isForAgent(request, chosen) ? chosen.adapter : undefined
  const login = planLogin({ adapter, config, persistent: persistent.mounts, paths, host })
  const caches = isStep ? undefined : planCaches(config, workspaceKey(workspace), paths)
  return {
    mounts: [...installationMounts(chosen), ...persistent.mounts, ...login.mounts, ...(caches?.mounts ?? [])],
    links: (chosen.found?.links ?? []).map((link) => ({ at: link.path, to: link.target })),
    environment: isStep ? {} : { ...chosen.adapter?.environment(box), ...login.environment },
    weakEnvironment: caches?.environment ?? {},
    homeFiles: caches?.homeFiles ?? {},
    pathEntries: chosen.found?.pathEntries ?? [],
    missing: [...persistent.missing, ...login.missing, ...(caches?.missing ?? [])],
    settings: settings(chosen, persistent.folders, box),
    ...(login.login ? { login: login.login } : {}),
  }
}
