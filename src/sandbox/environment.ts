/** The environment of a box's processes: nothing of the host's but what is listed here or configured. */

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Taken from the client: how its terminal and language are, nothing that could be a secret. */
const FROM_CLIENT = /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|COLORTERM|NO_COLOR)$/
const MAX_VALUE = 4096 // bytes; a longer one of these is a mistake

export interface EnvironmentInput {
  readonly box: string
  readonly user: string
  readonly home: string
  readonly shell: string
  /** The environment of the client that asked. */
  readonly client: Readonly<Record<string, string | undefined>>
  /** `Env` of the image. */
  readonly image: Readonly<Record<string, string>>
  /** What the agent's adapter needs. */
  readonly agent: Readonly<Record<string, string>>
  /** `[env]` and `-e`. */
  readonly configured: Readonly<Record<string, string>>
  /** Folders to put in front of PATH. */
  readonly pathEntries: readonly string[]
  /** TERM of the client, when the process gets a terminal. */
  readonly term?: string | undefined
}

/** Later sources win: built-in, image, agent, client's locale, configuration. */
export function planEnvironment(input: EnvironmentInput): Record<string, string> {
  const env: Record<string, string> = { PATH, ...input.image }
  env.PATH = [...input.pathEntries, `${input.home}/.local/bin`, env.PATH].join(':')
  env.HOME = input.home
  env.USER = input.user
  env.LOGNAME = input.user
  env.SHELL = input.shell
  env.COOP_BOX = input.box
  if (input.term) env.TERM = /^[\w.+-]{1,64}$/.test(input.term) ? input.term : 'xterm-256color'
  for (const [name, value] of Object.entries(input.client)) {
    if (value !== undefined && FROM_CLIENT.test(name) && value.length <= MAX_VALUE) env[name] = value
  }
  return { ...env, ...input.agent, ...input.configured }
}

const PROXY = /^(?:https?|ftp|all|no)_proxy$/i

/**
 * What of `[env]` a step of `setup` gets: its result is kept for all boxes, whatever their variables are. A proxy is how
 * the network is reached and changes nothing of it (docker makes the same exception).
 */
export function stepEnvironment(configured: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(configured).filter(([name]) => PROXY.test(name)))
}

export function environmentList(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}
