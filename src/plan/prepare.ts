/** Turns a request into a plan: reads the facts of the host that planning needs, and decides nothing itself. */
import { dirname, join } from 'node:path'
import { isInside } from '../../ffi/small-file.ts'
import type { BoxFacts } from '../agents/adapter.ts'
import { agentArgv, noAgentText } from '../agents/choose.ts'
import { type PlannedBroker, planBroker, type Seat } from '../broker/plan/plan-broker.ts'
import type { Config } from '../config/config.ts'
import { type ConfigOverrides, type LoadedConfig, loadConfig } from '../config/load.ts'
import { withPlace } from '../config/place.ts'
import { CoopError } from '../core/errors.ts'
import { type Paths, resolvePaths } from '../core/paths.ts'
import { type HostFacts, sourceOf } from '../host/facts.ts'
import { sourceAt } from '../host/host-place.ts'
import { networkFolders } from '../host/network-folders.ts'
import { ownersWarning } from '../host/rootfs-owners.ts'
import { isLocal, parseReference } from '../image/reference.ts'
import { topCoopIgnore } from '../masks/scan.ts'
import { composePlan, homeOf, type ImageFacts, refuseSetup } from '../sandbox/compose.ts'
import { proxiesOf, stepEnvironment, withheldProxies } from '../sandbox/environment.ts'
import { NOTHING_COVERED } from '../sandbox/group-files.ts'
import { type IdPlan, planIds } from '../sandbox/ids.ts'
import type { BoxLink, HiddenMounts, Plan, Source } from '../sandbox/plan.ts'
import type { SensitiveFacts } from '../sandbox/sensitive.ts'
import { softLinks } from '../sandbox/soft-links.ts'
import { secretSettings } from '../secrets/decide.ts'
import { findRecord, isWholeLayer } from '../store/images.ts'
import { persistentPath } from '../store/storage.ts'
import type { Ask } from '../trust/ask.ts'
import type { MountedAt } from '../trust/project-asks.ts'
import { bring } from './bring.ts'
import { choose, discover, NOTHING_FOUND } from './choose-agent.ts'
import { configurationCovers } from './configuration-covers.ts'
import {
  type ConfiguredMounts,
  configuredMounts,
  refuseClosedImage,
  rootfsFolder,
} from './configured-mounts.ts'
import { etcText, hostEtcOf } from './etc-files.ts'
import { type GitFolders, gitFolders } from './git-folders.ts'
import { gitHome } from './git-home.ts'
import { ABSENT } from './git-worktrees.ts'
import { imageReference, type LayeredImage, layeredImage } from './image-layers.ts'
import { keptGroups } from './kept-groups.ts'
import type { Login } from './login.ts'
import { futureFolder, type Missing, type Setting } from './missing.ts'
import { findSkeleton, futureSkeleton } from './skeleton.ts'
import { configurationAsks, judge, type Open, refuse } from './trust.ts'
import { callersWays, checkWayHere, sensitiveFacts, workspaceSource } from './workspace.ts'

export interface BoxRequest {
  readonly name: string
  readonly workspace: string
  readonly overrides: ConfigOverrides
  /** The environment of the client that asked. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /**
   * The command of `coop run`. When it names an agent, the box gets that agent's files, whichever agent is configured.
   */
  readonly command?: readonly string[]
  /** The image of the existing box. Its own files may hold programs that neither image nor host has. */
  readonly existing?: { readonly image: string; readonly layered?: LayeredImage | undefined }
  /** Folders and files of the host that boxes may write (writable.ts). Links in them are not trusted. */
  readonly writable: readonly string[]
  /** Nothing is going to be started: requests that nobody accepted are listed, not refused. */
  readonly planOnly?: boolean
  /** The broker of keys; absent where nothing is going to be started. */
  readonly broker?: Seat
  /** How many steps of `setup` lie below the box: all of them, except during a build. */
  readonly steps?: number
}

export interface Prepared {
  readonly plan: Plan
  readonly config: Config
  readonly warnings: readonly string[]
  /** Those of the plan's notes that are about this workspace, and not about the machine. */
  readonly ownNotes: readonly string[]
  /** Names of variables whose values came from the configuration. */
  readonly hidden: readonly string[]
  readonly agent: { readonly title: string; readonly command: readonly string[] }
  readonly homeFiles: Readonly<Record<string, string>>
  /** The image that the box starts from; absent for a plain `host` or `rootfs:`. */
  readonly layered?: LayeredImage
  readonly broker?: PlannedBroker
  /** Things to make before the box can be made. */
  readonly missing: readonly Missing[]
  readonly settings: readonly Setting[]
  readonly login?: Login
  /** Files to make: marks of agents' settings that a box without the agent gets (login.ts). */
  readonly strangers: readonly string[]
  /** Requests that nobody has accepted yet; filled only with `planOnly`. */
  readonly asks: readonly Ask[]
  /** To accept before the box is made: what its plan has because no box can have asked for it (git-folders.ts). */
  readonly remember: readonly Ask[]
}

/** Reads the image from the store. An existing box keeps its layers when the image was removed, or not built again. */
function layeredOf(
  { existing, steps, name }: BoxRequest,
  { sandbox: { image, setup } }: Config,
  workspace: string,
  paths: Paths,
  ids: IdPlan,
): { readonly layered: LayeredImage; readonly warnings: readonly string[] } {
  try {
    return { layered: layeredImage(image, workspace, paths, ids, setup.slice(0, steps)), warnings: [] }
  } catch (error) {
    const layered = existing?.image === image ? existing.layered : undefined
    if (!layered || !(error instanceof CoopError)) throw error
    if (!layered.layers.every(isUnchanged))
      throw new CoopError(error.code, `the layers of the box ${name} are gone, and ${error.message}`, {
        hint: `${error.hint}, then coop start ${name}`,
        cause: error,
      })
    const warning = `${error.message}; the box ${name} keeps the layers that it was made of`
    return { layered, warnings: [warning] }
  }
}

const isUnchanged = ({ path, inode }: Source): boolean =>
  sourceOf(path, 'box')?.inode === inode && isWholeLayer(dirname(path))

function imageOf(
  request: BoxRequest,
  config: Config,
  workspace: string,
  host: HostFacts,
  paths: Paths,
  rootfs: Source | undefined,
): {
  readonly image: ImageFacts
  readonly layered?: LayeredImage
  readonly warnings?: readonly string[]
  readonly missing?: Missing
} {
  const reference = config.sandbox.image
  if (reference === 'host') return hostImageOf(host, paths)
  if (!rootfs) {
    const found = layeredOf(request, config, workspace, paths, planIds(host.ids))
    const { base, ...own } = found.layered
    return base
      ? { ...found, ...hostImageOf(host, paths, own.layers) }
      : { ...found, image: { kind: 'layers', ...own } }
  }
  if (!['usr', 'bin'].some((name) => isInside(rootfs.path, name, 'root'))) {
    throw new CoopError('E_IMAGE', `${rootfs.path} is not a root file system: it has neither usr nor bin`, {
      hint: 'name the folder that becomes / in the box',
    })
  }
  return { image: { kind: 'rootfs', source: rootfs } }
}

/** `above`: layers of an image published from such a box, topmost first. */
function hostImageOf(
  host: HostFacts,
  paths: Paths,
  above: readonly Source[] = [],
): { readonly image: ImageFacts; readonly missing?: Missing } {
  const found = findSkeleton(host, paths)
  const skeleton = found ?? futureSkeleton(host)
  const layers = new Map<string, readonly Source[]>()
  for (const [name, own] of skeleton) {
    const published = above.flatMap(({ path }) => sourceAt(join(path, name), 'box') ?? [])
    layers.set(name, [...published, own])
  }
  const image: ImageFacts = { kind: 'host', facts: host.image, layers }
  return found ? { image } : { image, missing: { make: 'skeleton' } }
}

/** Returns the caller's configuration folder: the daemon may have been started with another environment. */
function configDirOf({ environment }: BoxRequest, paths: Paths): string {
  return environment.HOME ? resolvePaths(environment, environment.HOME).configDir : paths.configDir
}

/** Reads the configuration that applies to a request. */
export function configurationOf(request: BoxRequest, paths: Paths): LoadedConfig {
  const { workspace, environment } = request
  const loaded = loadConfig({
    workspace,
    configDir: configDirOf(request, paths),
    env: environment,
    overrides: request.overrides,
  })
  const { config } = loaded
  if (!isReady(request, paths)) return loaded
  return { ...loaded, config: { ...config, sandbox: { ...config.sandbox, setup: [] } } }
}

/**
 * Returns whether a flag names an image that was made on this machine, from a box or by a build. Such an image needs no
 * setup of the project.
 */
function isReady({ overrides: { image }, workspace }: BoxRequest, paths: Paths): boolean {
  if (image === undefined || image === 'host' || image.startsWith('rootfs:')) return false
  const record = findRecord(paths, imageReference(image, workspace))
  return record !== undefined && isLocal(record.reference)
}

/** A configuration with the host paths that it names, and the requests that it makes. */
export interface Examined {
  readonly sensitive: SensitiveFacts
  readonly workspace: Source
  readonly loaded: LoadedConfig
  readonly configured: ConfiguredMounts
  /** The folder of a `rootfs:` image. */
  readonly rootfs: Source | undefined
  readonly asks: readonly Ask[]
  /** The asks that nobody has accepted. */
  readonly open: Open
  readonly git: GitFolders
  /** Volumes that do not exist yet. */
  readonly missing: readonly Missing[]
}

/** Determines what a request's configuration asks for, from the very folders that are going to be mounted. */
export function examine(request: BoxRequest, paths: Paths, host: HostFacts): Examined {
  const sensitive = sensitiveFacts(host.home, { ...paths, configDir: configDirOf(request, paths) })
  const workspace = workspaceSource(request.workspace, sensitive, request.writable)
  checkWayHere(request.environment.PWD, workspace.path, request.writable)
  const writable = [...request.writable, workspace.path]
  const facts = { workspace: workspace.path, sensitive, writable, isRoot: host.ids.uid === 0 }
  const loaded = configurationOf({ ...request, workspace: workspace.path }, paths)
  const { image } = loaded.config.sandbox
  const rootfs = withPlace(loaded.origins, 'sandbox.image', () => {
    if (image.startsWith('rootfs:')) return rootfsFolder(image, loaded, facts)
    if (image !== 'host') {
      // A bad name fails here, before anybody is asked to accept it.
      const reference = parseReference(imageReference(image, workspace.path))
      if ('path' in reference) refuseClosedImage(reference.path, loaded, facts)
    }
    return undefined
  })
  // Before a person is asked about steps that could never run.
  if (image === 'host' || rootfs) refuseSetup(loaded)
  const missing: Missing[] = []
  const volume = (name: string): Source => {
    const path = persistentPath(paths, 'volume', name)
    const source = sourceOf(path, 'box')
    if (!source) missing.push({ make: 'folder', key: 'volume', folder: name })
    return source ?? futureFolder(path)
  }
  const configured = configuredMounts(loaded, facts, volume)
  const mount = (index: number): MountedAt | undefined => {
    const found = configured.mounts[index]
    return found && { ...found, source: found.source.path }
  }
  const asks = configurationAsks(loaded, workspace.path, { rootfs: rootfs?.path, mount })
  const judged = judge(workspace.path, paths)
  const git = gitFolders({
    workspace,
    target: loaded.config.workspace.path || workspace.path,
    mounts: configured.mounts,
    writable: request.writable,
    sensitive,
    uid: host.ids.uid,
    isAccepted: (ask) => judged([ask]).open.length === 0,
  })
  return { sensitive, workspace, loaded, configured, rootfs, asks, open: judged(asks), git, missing }
}

/** Links for paths that programs look for: of the worktrees that the box does not have, and the caller's own. */
function linksOf(request: BoxRequest, git: GitFolders, target: string): readonly BoxLink[] {
  const ways = [...callersWays(request.workspace, request.environment.PWD), ...git.ways]
  return [...ways.map((at) => ({ at, to: target })), ...git.absent.map((at) => ({ at, to: ABSENT }))]
}

/** The folders of the user in which secrets are hidden. What is mounted by itself under such a name was meant. */
function hiddenMounts(
  { secrets }: Config,
  mounts: readonly { readonly source: Source; readonly target: string }[],
): HiddenMounts {
  const folders = mounts.filter(({ source }) => source.owner !== 'box' && source.type === 'folder')
  return {
    ...secrets,
    mounts: folders.map(({ source, target }) => ({ at: target, path: source.path })),
    kept: mounts.map(({ target }) => target),
  }
}

/** The rules of hidden names that git in the box gets: those of the settings and of the workspace's own `.coopignore`. */
const gitSecrets = (workspace: string, secrets: HiddenMounts) => ({
  settings: secretSettings(secrets),
  coopignore: topCoopIgnore(workspace).lines,
})

/**
 * Gathers everything that must be known before the first thing is made. Writes nothing. Raises E_TRUST for requests
 * that nobody has accepted.
 */
export function prepareBox(request: BoxRequest, paths: Paths, host: HostFacts): Prepared {
  const {
    sensitive,
    workspace: source,
    loaded,
    configured,
    rootfs,
    open,
    git,
    missing: volumes,
  } = examine(request, paths, host)
  if (!request.planOnly) refuse(open, source.path)
  const isStep = request.steps !== undefined
  const broker = planBroker(loaded, request.environment, request.broker)
  const env = isStep ? stepEnvironment(loaded.config.env) : broker.env
  const config = { ...loaded.config, env }
  const target = config.workspace.path || source.path
  const {
    image,
    layered,
    warnings = [],
    missing: skeleton,
  } = withPlace(loaded.origins, 'sandbox.image', () =>
    imageOf(request, config, source.path, host, paths, rootfs),
  )
  const discovery = image.kind === 'host' ? discover(request, host, paths) : NOTHING_FOUND
  const chosen = withPlace(loaded.origins, 'sandbox.agent', () => choose(request, config, discovery))
  const urls = isStep ? {} : broker.urls
  const box: BoxFacts = { home: homeOf(config), workspace: target, environment: config.env, broker: urls }
  const used = [target, ...configured.mounts.map((mount) => mount.target)]
  const isHostImage = image.kind === 'host'
  const home = { paths, host, sensitive, used, isHostImage }
  const brought = bring({ request, chosen, config, box, workspace: source, ...home })
  const ids = planIds(host.ids)
  const shown = [...configured.mounts, ...git.mounts].map((mount) => mount.source)
  const groups = keptGroups([source, ...shown], host)
  const owners = image.kind === 'rootfs' ? ownersWarning(image.source.path, ids) : undefined
  const mounts = [...brought.mounts, ...configured.mounts, ...(isStep ? [] : git.mounts)]
  const ownNotes = isStep ? [] : [...git.notes, ...withheldProxies(request.environment, config)]
  const looked = image.kind === 'host' ? discovery : undefined
  const noAgent = request.command || isStep ? undefined : noAgentText(config.sandbox, looked)
  const plan = composePlan({
    name: request.name,
    config,
    origins: loaded.origins,
    workspace: { source, target },
    image,
    etc: { passwd: etcText(image, 'passwd'), group: etcText(image, 'group') },
    hostEtc: hostEtcOf(image, isStep),
    ids: host.ids,
    keptGroups: groups,
    devices: host.devices,
    sys: host.sys,
    sysOfNetwork: networkFolders,
    landlockAbi: host.landlockAbi,
    inProc: (name) => host.procNames.has(name),
    userParameters: host.userParameters,
    hardLimits: host.hardLimits,
    mounts,
    covers: loaded.withoutProject ? configurationCovers(source, target, mounts) : [],
    covered: image.kind === 'host' ? host.groupFiles.covered(groups.length > 0) : NOTHING_COVERED,
    softLinks: isStep
      ? []
      : softLinks(linksOf(request, git, target), [target, ...mounts.map((one) => one.target)]),
    ...brought.composed,
    clientEnvironment: isStep ? proxiesOf(request.environment).given : request.environment,
  })
  const told = [owners, noAgent].filter((text) => text !== undefined)
  const secrets = isStep ? undefined : hiddenMounts(config, [{ source, target }, ...configured.mounts])
  return {
    plan: { ...plan, ...(secrets ? { secrets } : {}), notes: [...plan.notes, ...ownNotes] },
    config,
    warnings: [
      ...loaded.warnings,
      ...(isStep ? [] : broker.warnings),
      ...configured.warnings,
      ...warnings,
      ...told,
    ],
    ...(isStep ? {} : { broker }),
    ownNotes,
    hidden: Object.keys(config.env),
    agent: { title: chosen.title, command: agentArgv(chosen, box) },
    homeFiles: {
      ...brought.homeFiles,
      ...gitHome({
        home: host.home,
        configHome: request.environment.XDG_CONFIG_HOME,
        writable: request.writable,
        sensitive,
        secrets: secrets && gitSecrets(source.path, secrets),
      }),
    },
    ...(layered ? { layered } : {}),
    missing: [...volumes, ...brought.missing, ...(skeleton ? [skeleton] : [])],
    settings: brought.settings,
    ...(brought.login ? { login: brought.login } : {}),
    strangers: brought.strangers,
    asks: open.open,
    remember: isStep ? [] : git.remember,
  }
}
