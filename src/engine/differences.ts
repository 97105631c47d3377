/** Compares the options of a command with a box that exists already. */
import { splitWords } from '../agents/words.ts'
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
  return found
}

/** Returns the flags of a box after new ones are applied. */
export function withFlags(old: BoxFlags, { image, agent, network, env }: BoxFlags): BoxFlags {
  return {
    image: image ?? old.image,
    agent: agent ?? old.agent,
    network: network ?? old.network,
    env: { ...old.env, ...env },
  }
}
