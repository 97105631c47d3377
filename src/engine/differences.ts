/** Compares the options of a command with a box that exists already. */
import { basename } from 'node:path'
import { splitWords } from '../agents/words.ts'
import { type MountFlag, mountText } from '../config/mount-flags.ts'
import type { BoxFlags, Manifest } from '../store/manifest.ts'

export interface Difference {
  /** The option, as it is written. Values of variables may be secrets and are not part of it. */
  readonly option: string
  /** What the box has instead. */
  readonly has: string
}

/** Whether an agent that was asked for is the box's. Its flag says all of it; without one, only its name is known. */
function isAgent(wanted: string, { flags, agent }: Pick<Manifest, 'flags' | 'agent'>): boolean {
  if (flags.agent !== undefined) return splitWords(wanted).join('\0') === splitWords(flags.agent).join('\0')
  return wanted === agent.title
}

/** What a box has at the place of a mount; undefined if that is what is asked for. */
function otherMount(
  wanted: MountFlag,
  { flags, plan }: Pick<Manifest, 'flags' | 'plan'>,
): string | undefined {
  const same = flags.mounts?.find(({ target }) => target === wanted.target)
  if (same) return mountText(same) === mountText(wanted) ? undefined : mountText(same)
  const target = wanted.target.replace(/^~/, () => plan.environment.HOME ?? '~')
  const step = plan.steps.findLast((one) => one.do === 'bind' && one.at === target)
  if (step?.do !== 'bind') return 'none'
  const { path, owner } = step.source
  const source = owner === 'box' && wanted.volume !== undefined ? { volume: basename(path) } : { host: path }
  const has = mountText({ ...source, target: wanted.target, readonly: step.readonly })
  return has === mountText(wanted) ? undefined : has
}

/** Returns the options that ask for something else than the box has. */
export function differences(
  wanted: BoxFlags,
  manifest: Pick<Manifest, 'flags' | 'agent' | 'plan'>,
): Difference[] {
  const { plan, agent, flags } = manifest
  const found: Difference[] = []
  const compare = (option: string, value: string | undefined, has: string): void => {
    if (value !== undefined && value !== has) found.push({ option: `${option} ${value}`, has })
  }
  compare('--image', wanted.image, plan.image)
  compare('--network', wanted.network, plan.network)
  if (wanted.agent !== undefined && !isAgent(wanted.agent, manifest))
    found.push({ option: `--agent ${wanted.agent}`, has: flags.agent ?? agent.title })
  for (const [name, value] of Object.entries(wanted.env ?? {})) {
    const has = Object.hasOwn(plan.environment, name) ? plan.environment[name] : undefined
    if (has !== value) found.push({ option: `-e ${name}`, has: has === undefined ? 'none' : 'another value' })
  }
  for (const mount of wanted.mounts ?? []) {
    const has = otherMount(mount, manifest)
    if (has !== undefined) found.push({ option: `--mount ${mountText(mount)}`, has })
  }
  return found
}

/** Returns the flags of a box after new ones are applied. */
export function withFlags(old: BoxFlags, { image, agent, network, env, mounts = [] }: BoxFlags): BoxFlags {
  const kept = (old.mounts ?? []).filter(({ target }) => mounts.every((one) => one.target !== target))
  return {
    image: image ?? old.image,
    agent: agent ?? old.agent,
    network: network ?? old.network,
    env: { ...old.env, ...env },
    mounts: [...kept, ...mounts],
  }
}
