/** From a request to a plan: reads what planning needs of the host, and decides nothing itself. */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { BoxFacts } from '../agents/adapter.ts'
import { agentArgv, type ChosenAgent, chooseAgent } from '../agents/choose.ts'
import { type Discovery, findAgents } from '../agents/find.ts'
import { hostFiles } from '../agents/host-files.ts'
import { planSeed } from '../agents/seed.ts'
import type { Config } from '../config/config.ts'
import { type ConfigOverrides, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { Paths } from '../config/paths.ts'
import { readSmallFile } from '../config/read.ts'
import { CoopError } from '../errors.ts'
import { composePlan, type ExtraMount, homeOf, type ImageFacts } from '../sandbox/compose.ts'
import { hostSkeleton } from '../sandbox/host-image.ts'
import { planIds } from '../sandbox/ids.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { mountRefusal, type SensitiveFacts } from '../sandbox/sensitive.ts'
import { gitIdentity } from './git-identity.ts'
import { type HostFacts, sourceOf } from './host.ts'
import { ensureSkeleton, persistentFolder, writeSetting } from './storage.ts'
import { sensitiveFacts, workspaceSource } from './workspace.ts'

export interface BoxRequest {
  readonly name: string
  readonly workspace: string
  readonly overrides: ConfigOverrides
  /** The environment of the client that asked. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface Prepared {
  readonly plan: Plan
  readonly config: Config
  readonly warnings: readonly string[]
  /** Names of variables whose values came from the configuration. */
  readonly hidden: readonly string[]
  readonly agent: { readonly title: string; readonly command: readonly string[] }
  readonly homeFiles: Readonly<Record<string, string>>
}

const MAX_SETTING = 8 << 20 // bytes; an agent's state file of a heavy user has some hundred kB
const MAX_ETC = 1 << 20

/** A text file of an image, never through a link out of it and never a device. */
function imageText(root: string, path: string): string {
  try {
    const bytes = readSmallFile(join(root, path), { maxBytes: MAX_ETC, within: root })
    return bytes ? Buffer.from(bytes).toString('utf8') : ''
  } catch {
    return '' // as if the image had none: the box gets its own
  }
}

function hostText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function imageOf(config: Config, workspace: string, host: HostFacts, paths: Paths): ImageFacts {
  const reference = config.sandbox.image
  if (reference === 'host') return hostImageOf(host, paths)
  if (!reference.startsWith('rootfs:')) {
    throw new CoopError('E_IMAGE', `the image ${reference} is not built`, {
      hint: 'this version of coop starts boxes from "host" and "rootfs:DIR"',
    })
  }
  const path = resolve(workspace, expandHome(reference.slice('rootfs:'.length)))
  const source = sourceOf(path, 'user')
  if (source?.type !== 'folder') {
    throw new CoopError('E_IMAGE', `there is no root file system at ${path}`, {
      hint: `make one: mmdebstrap stable - | tar -x -C ${path}`,
    })
  }
  if (!existsSync(join(source.path, 'usr')) && !existsSync(join(source.path, 'bin'))) {
    throw new CoopError('E_IMAGE', `${path} is no root file system: it has neither usr nor bin`, {
      hint: 'name the folder that becomes / in the box',
    })
  }
  return { kind: 'rootfs', source }
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

function configuredMounts(
  config: Config,
  workspace: string,
  facts: SensitiveFacts,
  store: (volume: string) => string,
): ExtraMount[] {
  const home = homeOf(config)
  const inside = (target: string): string => (target.startsWith('~') ? home + target.slice(1) : target)
  return config.sandbox.mounts.map((mount) => {
    const target = inside(mount.target)
    if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(target) || target === '/')
      throw new CoopError('E_MOUNT', `nothing can be mounted at ${target} of a box`, {
        hint: 'choose another target',
      })
    if (mount.kind === 'volume') {
      const source = sourceOf(store(mount.volume), 'box')
      if (!source) throw new CoopError('E_MOUNT', `the volume ${mount.volume} is gone`)
      return { source, target, readonly: mount.readonly }
    }
    const path = resolve(workspace, expandHome(mount.source))
    const source = sourceOf(path, 'user')
    if (!source) {
      throw new CoopError('E_MOUNT', `${mount.source} cannot be mounted: it does not exist`, {
        hint: 'make it, or remove the line from [sandbox] mounts',
      })
    }
    const reason = mountRefusal(source.path, facts)
    if (reason) {
      throw new CoopError('E_MOUNT', `${mount.source} is not mounted into boxes: ${reason}`, {
        hint: 'mount a folder that holds only what the box needs',
      })
    }
    return { source, target, readonly: mount.readonly }
  })
}

function installationMounts(chosen: ChosenAgent): ExtraMount[] {
  return (chosen.found?.mounts ?? []).map(({ source: path, target }) => {
    const source = sourceOf(path, 'user')
    if (!source) throw new CoopError('E_AGENT', `the agent's folder ${path} is gone`)
    return { source, target, readonly: true }
  })
}

function persistentMounts(input: {
  chosen: ChosenAgent
  config: Config
  workspace: Source
  paths: Paths
  host: HostFacts
}): { mounts: ExtraMount[]; folders: Map<string, string> } {
  const { chosen, config, host } = input
  const home = homeOf(config)
  const ids = planIds(host.ids)
  const key = createHash('sha256').update(input.workspace.path).digest('hex').slice(0, 16)
  const known = chosen.adapter?.folders ?? []
  const names = new Set([...config.session.persist, ...known.map((folder) => folder.path)])
  // A mount of the configuration at the same place is the user's own choice of what is kept there.
  for (const mount of config.sandbox.mounts) names.delete(mount.target.replace(/^~\/|^\/home\/[^/]+\//, ''))
  const folders = new Map<string, string>()
  const mounts = [...names].map((name): ExtraMount => {
    const rule = known.find((folder) => folder.path === name)?.seed
    const facts = { files: hostFiles, hostHome: host.home, boxHome: home }
    const path = persistentFolder(input.paths, key, name, ids, () =>
      rule ? planSeed(name, rule, facts) : [],
    )
    folders.set(name, path)
    const source = sourceOf(path, 'box')
    if (!source) throw new CoopError('E_FAILED', `the persistent folder ${path} is gone`)
    return { source, target: `${home}/${name}`, readonly: false }
  })
  return { mounts, folders }
}

/** Answer an agent's first-run questions in its persistent folder, which the box may have written to. */
function settle(
  chosen: ChosenAgent,
  folders: ReadonlyMap<string, string>,
  facts: BoxFacts,
  host: HostFacts,
): void {
  const locate = (path: string): { file: string; folder: string } | undefined => {
    for (const [name, folder] of folders) {
      if (path.startsWith(`${name}/`)) return { file: join(folder, path.slice(name.length + 1)), folder }
    }
    return undefined
  }
  const read = (path: string): string | undefined => {
    const at = locate(path)
    if (!at) return undefined
    const bytes = readSmallFile(at.file, { maxBytes: MAX_SETTING, within: at.folder })
    return bytes ? Buffer.from(bytes).toString('utf8') : undefined
  }
  for (const { path, text } of chosen.adapter?.settle(read, facts) ?? []) {
    const at = locate(path)
    // The box could have made a link of it or of a folder on the way: then it is left alone.
    if (at && isPlain(at.folder, at.file)) writeSetting(at.file, text, planIds(host.ids))
  }
}

function isPlain(folder: string, file: string): boolean {
  let at = folder
  for (const part of file.slice(folder.length + 1).split('/')) {
    at = join(at, part)
    try {
      if (lstatSync(at).isSymbolicLink()) return false
    } catch {
      return true // not there yet
    }
  }
  return true
}

/** Whether the host has a real folder there: a link of the same name must not be hidden by one. */
function isRealFolder(path: string): boolean {
  try {
    return realpathSync(path) === path && lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

const skeletons = new WeakMap<HostFacts, ReadonlyMap<string, Source>>()

function hostImageOf(host: HostFacts, paths: Paths): ImageFacts {
  const known = skeletons.get(host)
  const whole = known && [...known.values()].every(({ path }) => existsSync(path))
  const skeleton = whole
    ? known
    : ensureSkeleton(paths, hostSkeleton(host.image, isRealFolder), planIds(host.ids))
  skeletons.set(host, skeleton)
  return { kind: 'host', facts: host.image, skeleton }
}

/** Read the configuration that a request means. */
export function configurationOf(request: BoxRequest, paths: Paths): LoadedConfig {
  return loadConfig({
    workspace: request.workspace,
    configDir: paths.configDir,
    env: request.environment,
    overrides: request.overrides,
  })
}

/** Everything that is to be known before the first thing is made. `withAgent`: an agent's box, not a command's. */
export function prepareBox(request: BoxRequest, paths: Paths, host: HostFacts): Prepared {
  const facts = sensitiveFacts(host.home, paths)
  const source = workspaceSource(request.workspace, facts)
  const loaded = configurationOf({ ...request, workspace: source.path }, paths)
  const { config } = loaded
  const target = config.workspace.path || source.path
  if (!isAbsolute(target)) throw new CoopError('E_CONFIG', 'workspace.path must be an absolute path')
  const image = imageOf(config, source.path, host, paths)
  const discovery: Discovery =
    config.sandbox.image === 'host' ? discover(request, host) : { found: [], refused: [] }
  const chosen = chooseAgent(
    { agent: config.sandbox.agent, args: config.sandbox.args, shell: config.sandbox.shell },
    discovery,
  )
  const box: BoxFacts = { home: homeOf(config), workspace: target, environment: config.env }
  const persistent = persistentMounts({ chosen, config, workspace: source, paths, host })
  settle(chosen, persistent.folders, box, host)
  const ids = planIds(host.ids)
  const volume = (name: string): string => persistentFolder(paths, 'volume', name, ids, () => [])
  const rootfs = image.kind === 'rootfs' ? image.source.path : undefined
  const etc = (name: string): string => (rootfs ? imageText(rootfs, `etc/${name}`) : hostText(`/etc/${name}`))
  const plan = composePlan({
    name: request.name,
    config,
    workspace: { source, target },
    image,
    etc: { passwd: etc('passwd'), group: etc('group'), resolv: hostText('/etc/resolv.conf') },
    ids: host.ids,
    devices: host.devices,
    sys: host.sys,
    landlockAbi: host.landlockAbi,
    hardLimits: host.hardLimits,
    mounts: [
      ...installationMounts(chosen),
      ...persistent.mounts,
      ...configuredMounts(config, source.path, facts, volume),
    ],
    links: (chosen.found?.links ?? []).map((link) => ({ at: link.path, to: link.target })),
    agentEnvironment: chosen.adapter?.environment(box) ?? {},
    pathEntries: chosen.found?.pathEntries ?? [],
    clientEnvironment: request.environment,
  })
  return {
    plan,
    config,
    warnings: loaded.warnings,
    hidden: Object.keys(config.env),
    agent: { title: chosen.title, command: agentArgv(chosen, box) },
    homeFiles: gitIdentity(host.home),
  }
}

function discover(request: BoxRequest, host: HostFacts): Discovery {
  return findAgents({ files: hostFiles, home: realpathSync(host.home), path: request.environment.PATH ?? '' })
}
