/** Composes a plan from a configuration, facts about the host, and the agent's installation. Pure. */

import { isKernelPlace } from '../config/box-paths.ts'
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import { placeOf } from '../config/place.ts'
import { CoopError } from '../core/errors.ts'
import { hostnameFromBoxName } from '../core/names.ts'
import { KEPT_CAPABILITIES } from './capabilities.ts'
import { planEnvironment } from './environment.ts'
import type { Covered } from './group-files.ts'
import type { HostEtc } from './host-etc.ts'
import { type HostImageFacts, type HostLayers, hostImage } from './host-image.ts'
import { groupFile, hostsFile, passwdFile } from './identity.ts'
import { highestId, type IdFacts, planIds, singleIdAdvice } from './ids.ts'
import { MASKED_FILES, MASKED_FOLDERS, READONLY } from './kernel-files.ts'
import type { BoxLink, NetworkMode, Plan, Source, Step } from './plan.ts'
import { isWithin } from './sensitive.ts'
import { namespaceParameters, type UserParameters } from './shared-counts.ts'

const OPEN_FILES = 65_536 // descriptors per process: build tools and databases need more than the usual 1024
const SCOPE_ABI = 6 // Landlock ABI with scopes for abstract sockets, Linux 6.12

/** The image as planning sees it. */
export type ImageFacts =
  | { readonly kind: 'host'; readonly facts: HostImageFacts; readonly layers: HostLayers }
  | { readonly kind: 'rootfs'; readonly source: Source }
  | {
      readonly kind: 'layers'
      /** Topmost first. */
      readonly layers: readonly Source[]
      readonly environment: Readonly<Record<string, string>>
      readonly workingDir: string
    }

export interface ExtraMount {
  readonly source: Source
  readonly target: string
  readonly readonly: boolean
  /** As in the step made from it. */
  readonly sealed?: true
  readonly from?: string
}

export interface ComposeInput {
  readonly name: string
  readonly config: Config
  /** The places of configured values, for errors about them. */
  readonly origins: LoadedConfig['origins']
  readonly workspace: { readonly source: Source; readonly target: string }
  readonly image: ImageFacts
  /** /etc/passwd and /etc/group of the image; '' if there is none. */
  readonly etc: { readonly passwd: string; readonly group: string }
  /** The files that follow the host, if the box shares its network. */
  readonly hostEtc: (hostname: string) => HostEtc
  readonly ids: IdFacts
  /** Names of the user's supplementary groups that the box keeps. */
  readonly keptGroups: readonly string[]
  readonly devices: readonly Source[]
  readonly sys: readonly Source[]
  /** The folders of the host's network interfaces below /sys, if the box shares its network. */
  readonly sysOfNetwork: () => readonly Source[]
  readonly landlockAbi: number
  /** Whether this kernel has a file or folder of that name below /proc. */
  readonly inProc: (name: string) => boolean
  /** The limits of this process's user namespace, from /proc/sys/user. */
  readonly userParameters: UserParameters
  readonly hardLimits: { readonly processes: number; readonly openFiles: number }
  /** Configured mounts, the agent's installation, persistent folders; in order. */
  readonly mounts: readonly ExtraMount[]
  /** Files of the host that only its user may read; none if the image is not `host`. */
  readonly covered: Covered
  /** Files mounted read-only over themselves, after all other mounts; missing ones are not created. */
  readonly covers: readonly ExtraMount[]
  readonly links: readonly BoxLink[]
  /** Links that the box can do without; none within a mount. */
  readonly softLinks: readonly BoxLink[]
  readonly agentEnvironment: Readonly<Record<string, string>>
  /** Weaker than the variables of the image. */
  readonly weakEnvironment: Readonly<Record<string, string>>
  readonly pathEntries: readonly string[]
  readonly lastPathEntries: readonly string[]
  readonly clientEnvironment: Readonly<Record<string, string | undefined>>
}

/** The home of uid 0 in the box. */
export function homeOf(config: Config): string {
  return config.sandbox.user === 'root' ? '/root' : `/home/${config.sandbox.user}`
}

function networkOf({ config, origins }: ComposeInput): NetworkMode {
  if (config.network.mode !== 'veth') return config.network.mode
  const sentence = 'network mode "veth" is not part of this version of coop'
  throw new CoopError('E_ISOLATION', `${placeOf(origins, 'network.mode')}${sentence}`, {
    hint: 'use --network none for no network, or --network host to share the host’s',
  })
}

/** Refuses steps for an image that has no layers to add them to. Raises E_IMAGE. */
export function refuseSetup({ config, origins }: Pick<ComposeInput, 'config' | 'origins'>): void {
  if (config.sandbox.setup.length === 0) return
  const sentence = `sandbox.setup needs an image of layers, not ${config.sandbox.image}`
  throw new CoopError('E_IMAGE', `${placeOf(origins, 'sandbox.setup')}${sentence}`, {
    hint: 'set image in [sandbox], for example to "debian:bookworm", or remove setup',
  })
}

/** A step for a mount, wherever it comes from and however its target is spelled. Raises E_MOUNT. */
function bindStep(mount: ExtraMount): Extract<Step, { readonly do: 'bind' }> {
  const { source, target: at, readonly, sealed, from } = mount
  if (isKernelPlace(at) || !at.startsWith('/') || at.split('/').includes('..'))
    throw new CoopError('E_MOUNT', `a box cannot have a mount at ${at}`, {
      hint: 'choose another target',
    })
  return {
    do: 'bind',
    at,
    source,
    readonly,
    recursive: source.type === 'folder' && !sealed,
    ...(sealed ? { sealed } : {}),
    ...(from === undefined ? {} : { from }),
  }
}

/** Folders before the mounts inside them: outer targets before inner ones, otherwise as given. */
function ordered(mounts: readonly ExtraMount[]): ExtraMount[] {
  const depth = (path: string): number => path.split('/').filter(Boolean).length
  return [...mounts].sort((a, b) => depth(a.target) - depth(b.target))
}

function imageOf(image: ImageFacts): {
  root: readonly Source[]
  steps: readonly Step[]
  notes: readonly string[]
} {
  if (image.kind === 'host') return hostImage(image.facts, image.layers)
  if (image.kind === 'rootfs') return { root: [image.source], steps: [], notes: [] }
  // The image's programs may rely on this folder; the box itself works in its workspace.
  const folder = image.workingDir
  const there = folder.startsWith('/') && folder !== '/' && !folder.split('/').includes('..')
  return { root: image.layers, steps: there ? [{ do: 'folder', at: folder, mode: 0o755 }] : [], notes: [] }
}

/** Covers files or folders of the image; mounts at those places are the user's own choice. */
function coverSteps({ covered, mounts, workspace }: ComposeInput, kind: 'files' | 'folders'): Step[] {
  const targets = [...mounts, workspace].map(({ target }) => target)
  const paths = covered[kind].filter((path) => !targets.some((target) => isWithin(path, target)))
  return paths.length > 0 ? [{ do: 'cover', files: [], folders: [], [kind]: paths }] : []
}

export function composePlan(input: ComposeInput): Plan {
  const { config, name } = input
  if (input.image.kind !== 'layers') refuseSetup(input)
  const network = networkOf(input)
  const home = homeOf(config)
  const shell = config.sandbox.shell.includes('/') ? config.sandbox.shell : `/bin/${config.sandbox.shell}`
  const hostname = config.sandbox.hostname || hostnameFromBoxName(name)
  const ids = planIds(input.ids)
  const notes: string[] = []
  const advice = singleIdAdvice(input.ids)
  if (advice) notes.push(`${advice.sentence}; ${advice.hint}`)
  if (network === 'host' && input.landlockAbi < SCOPE_ABI)
    notes.push('abstract unix sockets of the host can be reached: Linux 6.12 with Landlock would prevent it')

  if (input.keptGroups.length > 0)
    notes.push(
      `programs in the box are in your groups too (${input.keptGroups.join(', ')}), so they can use what is open to these groups in the workspace and the mounts`,
    )

  const image = imageOf(input.image)
  notes.push(...image.notes)
  const steps: Step[] = [
    ...image.steps,
    { do: 'folder', at: '/tmp', mode: 0o1777 },
    { do: 'folder', at: home, mode: 0o755 },
    { do: 'tmpfs', at: '/run', mode: 0o755, exec: true },
    ...coverSteps(input, 'folders'), // before mounts inside them
    ...ordered([...input.mounts, { ...input.workspace, readonly: false }]).map(bindStep),
    ...input.covers.map((cover): Step => ({ ...bindStep(cover), existing: true })),
    // These come last: a mount whose target leads here through a link of the image is covered, and provePlaces then
    // refuses it. /dev comes before /proc, whose masks are copies of the /dev/null that is attached here.
    { do: 'dev', devices: input.devices },
    {
      do: 'proc',
      readonly: READONLY.filter(input.inProc),
      maskedFiles: MASKED_FILES.filter(input.inProc),
      maskedFolders: MASKED_FOLDERS.filter(input.inProc),
      parameters: {
        ...namespaceParameters(input.userParameters, config.sandbox.nested),
        // ping(8) without rights of its own. In the host's network namespace the host decides.
        ...(network === 'none' ? { 'sys/net/ipv4/ping_group_range': `0 ${highestId(ids.gids)}` } : {}),
      },
    },
    { do: 'sys', shown: [...input.sys, ...(network === 'host' ? input.sysOfNetwork() : [])] },
    ...coverSteps(input, 'files'), // uses copies of /dev/null
    ...input.links.map((link): Step => ({ do: 'link', ...link })),
    ...(input.softLinks.length ? [{ do: 'links', links: input.softLinks } as const] : []),
  ]
  const following = network === 'host' ? input.hostEtc(hostname) : undefined
  const identity = { user: config.sandbox.user, home, shell }
  return {
    version: 1,
    name,
    hostname,
    image: config.sandbox.image,
    workspace: input.workspace,
    user: { name: config.sandbox.user, home, shell },
    ids,
    ...(input.keptGroups.length > 0 ? { keptGroups: input.keptGroups } : {}),
    network,
    root: { lower: image.root },
    steps,
    etc: {
      passwd: passwdFile(input.etc.passwd, identity),
      group: groupFile(input.etc.group, identity),
      hostname: `${hostname}\n`,
      hosts: hostsFile(hostname),
      ...following?.etc,
    },
    ...(following ? { etcLinks: following.etcLinks } : {}),
    confinement: {
      capabilities:
        ids.kind === 'root' ? KEPT_CAPABILITIES.filter((name) => name !== 'SETFCAP') : KEPT_CAPABILITIES,
      setuidFiles: ids.kind !== 'root',
      nested: config.sandbox.nested,
      ptrace: config.sandbox.ptrace,
      landlockScope: input.landlockAbi >= SCOPE_ABI,
    },
    limits: {
      pids: Math.min(config.limits.pids, input.hardLimits.processes),
      openFiles: Math.min(OPEN_FILES, input.hardLimits.openFiles),
    },
    environment: planEnvironment({
      box: name,
      user: config.sandbox.user,
      home,
      shell,
      client: input.clientEnvironment,
      sharesNetwork: network === 'host',
      image: input.image.kind === 'layers' ? input.image.environment : {},
      weak: input.weakEnvironment,
      agent: input.agentEnvironment,
      configured: config.env,
      pathEntries: input.pathEntries,
      lastPathEntries: input.lastPathEntries,
    }),
    notes,
  }
}
