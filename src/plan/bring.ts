/** What a box gets from its user's machine besides the workspace, the image and configured mounts. */
import type { BoxFacts } from '../agents/adapter.ts'
import type { ChosenAgent } from '../agents/choose.ts'
import type { Config } from '../config/config.ts'
import type { Paths } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import { type ComposeInput, type ExtraMount, homeOf } from '../sandbox/compose.ts'
import type { Source } from '../sandbox/plan.ts'
import type { SensitiveFacts } from '../sandbox/sensitive.ts'
import { installationMounts, persistentMounts, settings, workspaceKey } from './agent-files.ts'
import { planCaches } from './caches.ts'
import { isForAgent } from './choose-agent.ts'
import { type Login, planLogin, strangersIn } from './login.ts'
import type { Missing, Setting } from './missing.ts'
import type { BoxRequest } from './prepare.ts'
import { NO_TOOLS, planTools } from './tools.ts'

export interface Brought {
  readonly mounts: readonly ExtraMount[]
  /** Those parts of the plan's input that come from here. */
  readonly composed: Pick<
    ComposeInput,
    'links' | 'weakEnvironment' | 'agentEnvironment' | 'pathEntries' | 'lastPathEntries'
  >
  /** Files of the box's home, by path. */
  readonly homeFiles: Readonly<Record<string, string>>
  readonly missing: readonly Missing[]
  readonly settings: readonly Setting[]
  readonly login?: Login
  /** Marks to make before the box starts. */
  readonly strangers: readonly string[]
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
  readonly sensitive: SensitiveFacts
  /** Places in the box that the configuration uses. */
  readonly used: readonly string[]
  /** The image is `host`. */
  readonly isHostImage: boolean
}): Brought {
  const { request, chosen, config, box, workspace, paths, host } = input
  const isStep = request.steps !== undefined
  const { writable, environment } = request
  const persistent = persistentMounts({ chosen, config, workspace, paths, host, writable })
  const adapter = isForAgent(request, chosen) ? chosen.adapter : undefined
  const isBrokered = adapter?.provider !== undefined && box.broker?.[adapter.provider] !== undefined
  const login = planLogin({
    adapter,
    config,
    persistent: persistent.mounts,
    isBrokered,
    paths,
    host,
    writable,
  })
  const caches = isStep ? undefined : planCaches(config, workspaceKey(workspace), paths)
  const tools =
    isStep || !input.isHostImage
      ? NO_TOOLS
      : planTools({
          names: config.sandbox.tools,
          home: host.home,
          path: environment.PATH ?? '',
          writable,
          sensitive: input.sensitive,
          used: input.used,
        })
  // `npm install -g` cannot change the host's folders: overlayfs renames none of them (EXDEV), and a tool's are read-only.
  const ownPrefix: Record<string, string> =
    isStep || !input.isHostImage ? {} : { npm_config_prefix: `${box.home}/.local` }
  return {
    mounts: [
      ...installationMounts(chosen),
      ...persistent.mounts,
      ...login.mounts,
      ...(caches?.mounts ?? []),
      ...tools.mounts,
    ],
    composed: {
      links: (chosen.found?.links ?? []).map((link) => ({ at: link.path, to: link.target })),
      weakEnvironment: { ...caches?.environment, ...tools.environment, ...ownPrefix },
      agentEnvironment: isStep ? {} : { ...chosen.adapter?.environment(box), ...login.environment },
      pathEntries: [...(chosen.found?.pathEntries ?? []), ...tools.before],
      lastPathEntries: tools.after,
    },
    homeFiles: caches?.homeFiles ?? {},
    missing: [...persistent.missing, ...login.missing, ...(caches?.missing ?? [])],
    settings: settings(chosen, persistent.folders, box),
    ...(login.login ? { login: login.login } : {}),
    strangers: strangersIn(persistent.mounts, homeOf(config), adapter, paths),
  }
}
