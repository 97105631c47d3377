/** The environment of a box's processes: from the host only the variables listed here or configured. */

import type { Config } from '../config/config.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Taken from the client: its terminal and language settings, nothing that could be secret. */
const FROM_CLIENT = /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|COLORTERM|NO_COLOR)$/
const MAX_VALUE = 4096 // bytes; a longer value of these is a mistake

export interface EnvironmentInput {
  readonly box: string
  readonly user: string
  readonly home: string
  readonly shell: string
  /** The client's environment. */
  readonly client: Readonly<Record<string, string | undefined>>
  /** What an image may set otherwise. */
  readonly weak?: Readonly<Record<string, string>>
  /** The box uses the network of this machine, and so its proxies. */
  readonly sharesNetwork: boolean
  /** `Env` of the image. */
  readonly image: Readonly<Record<string, string>>
  /** Variables that the agent's adapter needs. */
  readonly agent: Readonly<Record<string, string>>
  /** `[env]` and `-e`. */
  readonly configured: Readonly<Record<string, string>>
  /** Folders to put in front of PATH. */
  readonly pathEntries: readonly string[]
  /** Folders to put behind PATH. */
  readonly lastPathEntries?: readonly string[]
  /** TERM of the client, if the process gets a terminal. */
  readonly term?: string | undefined
}

/** Later sources win: weak ones, built-in, image, agent, client's locale, configuration. */
export function planEnvironment(input: EnvironmentInput): Record<string, string> {
  const env: Record<string, string> = { ...input.weak, PATH, ...input.image }
  env.PATH = [
    ...input.pathEntries,
    `${input.home}/.local/bin`,
    env.PATH,
    ...(input.lastPathEntries ?? []),
  ].join(':')
  env.HOME = input.home
  env.USER = input.user
  env.LOGNAME = input.user
  env.SHELL = input.shell
  env.COOP_BOX = input.box
  if (input.term) env.TERM = /^[\w.+-]{1,64}$/.test(input.term) ? input.term : 'xterm-256color'
  for (const [name, value] of Object.entries(input.client)) {
    if (value !== undefined && FROM_CLIENT.test(name) && value.length <= MAX_VALUE) env[name] = value
  }
  if (input.sharesNetwork) Object.assign(env, proxiesOf(input.client).given)
  return { ...env, ...input.agent, ...input.configured }
}

const PROXY = /^(?:https?|ftp|all|no)_proxy$/i

/**
 * The client's proxy variables. Those with a user name or a password stay outside: a program of the box could use them
 * elsewhere. `withheld`: their names.
 */
export function proxiesOf(client: Readonly<Record<string, string | undefined>>): {
  readonly given: Readonly<Record<string, string>>
  readonly withheld: readonly string[]
} {
  const given: Record<string, string> = {}
  const withheld: string[] = []
  for (const [name, value] of Object.entries(client)) {
    if (!value || !PROXY.test(name) || value.length > MAX_VALUE) continue
    if (value.includes('@')) withheld.push(name)
    else given[name] = value
  }
  return { given, withheld }
}

/** The notices about proxies that a box does not get: one at most. `[env]` may have them. */
export function withheldProxies(
  client: Readonly<Record<string, string | undefined>>,
  { env: configured, network }: Pick<Config, 'env' | 'network'>,
): readonly string[] {
  if (network.mode !== 'host') return []
  const [name, ...more] = proxiesOf(client).withheld.filter((one) => configured[one] === undefined)
  if (name === undefined) return []
  const names = [name, ...more].join(', ')
  return [
    `the box does not get ${names}, because a password is in it; give it in [env]: ${name} = "$${name}"`,
  ]
}

/**
 * The part of `[env]` that a `setup` step gets. Its result is shared by all boxes, whatever their variables are.
 * Proxies are an exception, as in docker: they give access to the network without changing the result.
 */
export function stepEnvironment(configured: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(configured).filter(([name]) => PROXY.test(name)))
}

export function environmentList(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}
