/** Chooses the program that a box runs on PTY 0. */

import { CoopError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { type Adapter, AGENT_NAMES, type BoxFacts } from './adapter.ts'
import { ADAPTERS, isAgentName } from './adapters.ts'
import type { Discovery, FoundAgent } from './find.ts'
import { splitWords } from './words.ts'

/** The part of the configuration that decides about the agent. */
export interface AgentChoice {
  /** `agent` of the configuration or `--agent`: a name or a whole command line; undefined or empty: choose one. */
  readonly agent: string | undefined
  readonly args: readonly string[]
  readonly shell: string
  /** Whether the box has such a command; undefined if that cannot be known before the box runs. */
  readonly hasCommand?: (command: string) => boolean | undefined
}

export interface ChosenAgent {
  /** The word that listings show. */
  readonly title: string
  /** Undefined for an ordinary command. */
  readonly adapter?: Adapter
  readonly found?: FoundAgent
  readonly command: string
  /** Undefined if none were given: the adapter's autonomous arguments apply then. */
  readonly args?: readonly string[]
}

/**
 * @throws CoopError E_AGENT for an agent that is not installed, for a name that looks mistyped, and for a
 * command line with open quotes.
 */
export function chooseAgent(choice: AgentChoice, discovery: Discovery): ChosenAgent {
  const args = choice.args.length > 0 ? { args: choice.args } : {}
  if (!choice.agent?.trim()) {
    const [first] = discovery.found
    return first === undefined
      ? { title: choice.shell, command: choice.shell, ...args }
      : withAdapter(first, args)
  }
  const [word = '', ...words] = splitWords(choice.agent)
  const given = words.length > 0 ? { args: [...words, ...choice.args] } : args
  if (isAgentName(word)) {
    const found = discovery.found.find(({ name }) => name === word)
    if (found !== undefined) return withAdapter(found, given)
    // The image may contain the agent.
    if (choice.hasCommand?.(word) === true)
      return { title: word, adapter: ADAPTERS[word], command: word, ...given }
    throw notInstalled(ADAPTERS[word], discovery)
  }
  const there = word.includes('/') || words.length > 0 ? true : choice.hasCommand?.(word)
  const meant = nearest(word, AGENT_NAMES)
  if (word === '' || there === false || (there === undefined && meant !== undefined)) {
    const hint = meant
      ? `did you mean ${meant}?`
      : `use one of the known agents (${AGENT_NAMES.join(', ')}) or any command`
    throw new CoopError('E_AGENT', `there is no agent or command named \`${word}\``, { hint })
  }
  return { title: word.slice(word.lastIndexOf('/') + 1), command: word, args: [], ...given }
}

/** The notice about a box that runs a shell because nobody has named an agent; undefined if there is an agent. */
export function noAgentText(
  { agent, shell }: Pick<AgentChoice, 'agent' | 'shell'>,
  discovery: Discovery | undefined,
): string | undefined {
  if (agent?.trim()) return undefined
  const name = 'or name a command: coop --agent CMD'
  if (!discovery)
    return `no agent is named, and coop looks for none in an image, so the box runs ${shell}; set agent in [sandbox], ${name}`
  if (discovery.found.length > 0) return undefined
  const [refused] = discovery.refused
  const why = refused
    ? `the agent ${refused.name} at ${refused.path} cannot be used in a box (${refused.reason})`
    : `no agent is installed (${AGENT_NAMES.join(', ')})`
  const { install } = ADAPTERS[refused?.name ?? 'claude']
  return `${why}, so the box runs ${shell}; install one outside of the box, for example with ${install}, and then run coop stop && coop; ${name}`
}

function withAdapter(found: FoundAgent, args: { readonly args?: readonly string[] }): ChosenAgent {
  return { title: found.name, adapter: ADAPTERS[found.name], found, command: found.command, ...args }
}

function notInstalled({ name, install }: Adapter, discovery: Discovery): CoopError {
  const refused = discovery.refused.find((agent) => agent.name === name)
  const sentence = refused
    ? `the agent ${name} at ${refused.path} cannot be used in a box: ${refused.reason}`
    : `the agent ${name} is not installed`
  return new CoopError('E_AGENT', sentence, { hint: `install it: ${install}` })
}

/** The command line of a chosen agent, once the box's paths are known. */
export function agentArgv(chosen: ChosenAgent, facts: BoxFacts): readonly string[] {
  return [chosen.command, ...(chosen.args ?? chosen.adapter?.autonomousArgs(facts) ?? [])]
}
