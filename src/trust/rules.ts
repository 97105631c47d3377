/**
 * The rules that decide which values of coop.toml are requests. Each key has one rule; the type of the table demands
 * all, so that a new key cannot be forgotten. A rule sees the value that the project has set, and the value without it.
 *
 * A value is safe if it concerns only the box itself, or is less than the user's own layers allow.
 */
import { isAgentName } from '../agents/adapters.ts'
import type { NetworkMode, TableName, Tables } from '../config/config.ts'
import { SCHEMA } from '../config/schema.ts'
import { normalize } from '../core/posix-path.ts'
import type { Ask } from './ask.ts'
import { mountAsks } from './mount-asks.ts'
import { isPlaceOfPrograms } from './places.ts'
import { keyOf, quote, shown } from './words.ts'

/** One of `[sandbox] mounts` as it will be mounted; the source's links are resolved. */
export interface MountedAt {
  readonly source: string
  readonly target: string
  readonly readonly: boolean
}

/** Facts besides the configuration that the rules need. */
export interface About {
  /** The project's folder, links resolved. */
  readonly workspace: string
  /** Home of the box. */
  readonly home: string
  /** Whether the value of a key, or an item such as `sandbox.mounts[0]`, comes from the project's file. */
  isMine(key: string): boolean
  /** The host folder of `sandbox.mounts[index]`; undefined leaves the mount out. */
  mount(index: number): MountedAt | undefined
  /** The full name of an image, which means the same everywhere: the whole reference, links of paths resolved. */
  image(reference: string): string
  /** More that a person should know about a mounted folder, as text after a semicolon. */
  describeMount?(source: string): string | undefined
}

/** `own` is the value that would hold without the project's file. */
export type Rule<V> = (value: V, own: V, about: About) => readonly Ask[]
export type Rules<T> = { readonly [K in keyof T]: Rule<T[K]> }

/** For keys that concern only the box itself, with any value. */
const safe = (): readonly Ask[] => []
/** For keys that a project may not set: its file is refused when it is read (config/parse.ts). */
const refused = (): readonly Ask[] => []

const ask = (sentence: string, ...key: [kind: string, ...parts: string[]]): Ask => ({
  key: keyOf(...key),
  sentence,
})

/** Shells do nothing beyond being a shell. */
const SHELLS = ['sh', 'bash', 'dash', 'ash', 'zsh', 'fish', 'ksh']
const WIDTH: Readonly<Record<NetworkMode, number>> = { none: 0, veth: 1, host: 2 }
const NETWORKS: Readonly<Record<NetworkMode, string>> = {
  none: 'have no network',
  veth: 'reach other machines',
  host: 'use the network of this machine',
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const words = (list: readonly string[]): string => quote(list.join(' '))
/** The items that the user's layers do not have. */
const added = <T>(list: readonly T[], own: readonly T[]): T[] =>
  list.filter((item) => !own.some((other) => same(item, other)))

/** Limits; null means none. An accepted value covers all lower ones. */
function limit(name: string, what: (value: string) => string, show: (value: number) => string) {
  return (value: number | null, own: number | null): readonly Ask[] => {
    if (own === null || (value !== null && value <= own)) return []
    const kind = `limits.${name}`
    const allowed = `your own settings allow ${show(own)}`
    return [
      {
        key: `${kind}:${value ?? 'none'}`,
        sentence: `${what(value === null ? 'unlimited' : show(value))}, where ${allowed}`,
        isWithin: (accepted) => {
          if (!accepted.startsWith(`${kind}:`)) return false
          const most = accepted.slice(kind.length + 1)
          return most === 'none' || (value !== null && value <= Number(most))
        },
      },
    ]
  }
}
const size = (bytes: number): string => String(SCHEMA.limits.memory.show(bytes))

export const RULES: { readonly [T in TableName]: Rules<Tables[T]> } = {
  sandbox: {
    image: (value, own, { image }) =>
      value === 'host' || image(value) === image(own)
        ? []
        : [ask(`start from the image ${shown(value)}`, 'image', image(value))],
    // Coop starts known agents itself. A command that the user configured may be there to restrain the agent.
    agent: (value, own) =>
      value === own || ((value === '' || isAgentName(value)) && (own === '' || isAgentName(own)))
        ? []
        : [ask(value ? `run ${quote(value)} as the agent` : 'choose another agent', 'agent', value)],
    args: (value, own) =>
      same(value, own)
        ? []
        : [
            ask(
              value.length
                ? `start the agent with ${words(value)}`
                : 'start the agent without your arguments',
              'args',
              JSON.stringify(value),
            ),
          ],
    shell: (value, own) =>
      value === own || (SHELLS.includes(value) && SHELLS.includes(own))
        ? []
        : [ask(`run ${quote(value)} as the shell`, 'shell', value)],
    user: safe,
    hostname: safe,
    // Each step counts by itself: dropping some, or adding accepted ones in between, needs no question.
    setup: (value, _own, { isMine }) =>
      value.flatMap((step, index) =>
        isMine(`sandbox.setup[${index}]`)
          ? [
              {
                ...ask(`run at build time, as root of the box: ${quote(step)}`, 'setup', step),
                at: `sandbox.setup[${index}]`,
              },
            ]
          : [],
      ),
    mounts: (value, _own, about) => mountAsks(value, about),
    tools: (value, own) =>
      added(value, own).map((name) => ask(`use the programs of ${name} in your home`, 'tools', name)),
    caches: refused, // only "shared" reaches further
    nested: (value, own) =>
      value && !own
        ? [ask('make sandboxes inside of the box, which reaches more of the kernel', 'nested')]
        : [],
    ptrace: (value, own) =>
      value && !own ? [ask('use debuggers in the box, which your own settings forbid', 'ptrace')] : [],
  },
  workspace: {
    mount: (value, own) =>
      value === own || isBelow(value)
        ? []
        : [ask(`work in ${shown(value)}, outside of the project`, 'workspace', normalize(value))],
    path: (value, own, { home, workspace }) =>
      value === own || value === '' || !isPlaceOfPrograms(value, home, workspace)
        ? []
        : [ask(`be at ${shown(value)} of the box, where programs are`, 'path', normalize(value))],
    writable: (value, own) =>
      added(value.map(normalize), own.map(normalize)).map((path) =>
        ask(`write ${shown(path)}, which may be run on this machine`, 'writable', path),
      ),
  },
  network: {
    mode: (value, own) =>
      WIDTH[value] <= WIDTH[own]
        ? []
        : [
            {
              ...ask(`${NETWORKS[value]}, where your own settings say ${quote(own)}`, 'network', value),
              isWithin: (accepted) =>
                Object.keys(WIDTH).some(
                  (mode) => accepted === `network:${mode}` && WIDTH[mode as NetworkMode] >= WIDTH[value],
                ),
            },
          ],
    allow: (value, own) =>
      own.includes('*')
        ? []
        : added(value, own).map((rule) => ({
            ...ask(rule === '*' ? 'reach every machine' : `reach ${shown(rule)}`, 'allow', rule),
            isWithin: (accepted) => accepted === 'allow:*',
          })),
    ports: (value, own) =>
      added(value, own).map(({ host, box }) =>
        ask(`be reached at port ${host} of this machine`, 'port', `${host}`, `${box}`),
      ),
  },
  session: {
    // Folders of the box's home that belong to this workspace alone.
    persist: safe,
    auto_restart: safe,
    restart_delay_ms: safe,
    notify: refused,
    detach_key: safe,
  },
  limits: {
    memory: limit('memory', (value) => `use ${value} memory`, size),
    cpus: limit('cpus', (value) => `use ${value} processors`, String),
    pids: limit('pids', (value) => `run ${value} processes`, String),
    disk: limit('disk', (value) => `use ${value} disk space`, size),
  },
  // Protects against slips of a person in a browser. More of it is less to type there.
  input_filter: {
    ctrl_c_debounce_ms: (value, own) =>
      value >= own
        ? []
        : [
            {
              ...ask(
                `let a second Ctrl+C of a browser through after ${value} ms, where your own settings say ${own}`,
                'debounce',
                `${value}`,
              ),
              isWithin: (accepted) => /^debounce:\d+$/.test(accepted) && Number(accepted.slice(9)) <= value,
            },
          ],
    block_sequences: (value, own) =>
      added(own, value).map((sequence) =>
        ask(
          `let browsers type ${shown(sequence)}, which your own settings hold back`,
          'unblock',
          JSON.stringify(sequence),
        ),
      ),
  },
  secrets: {
    hide: (value, own) =>
      added(own, value).map((pattern) =>
        ask(`see files named ${shown(pattern)}, which your own settings hide`, 'secrets.unhide', pattern),
      ),
    show: (value, own) =>
      added(value, own).map((pattern) =>
        ask(`see files named ${shown(pattern)}, whose names look like secrets`, 'secrets.show', pattern),
      ),
    strict: (value, own) =>
      value || !own
        ? []
        : [
            ask(
              'start even if new secrets cannot be noticed, which your own settings forbid',
              'secrets.strict',
            ),
          ],
  },
  broker: { anthropic: refused, openai: refused, gemini: refused },
  serve: { host: refused, port: refused },
  ui: { theme: refused },
  update: { check: refused },
}

/** Whether a path, as the project writes it, stays textually below the project. */
function isBelow(path: string): boolean {
  const clean = normalize(path)
  return !clean.startsWith('/') && !clean.startsWith('~') && clean !== '..' && !clean.startsWith('../')
}

/** What a project may do with a key: set it, set it if a person accepts that, or not. */
export function standingOf<T extends TableName>(table: T, key: keyof Tables[T]): 'free' | 'asks' | 'refused' {
  const rule: unknown = RULES[table][key]
  if (rule === safe) return 'free'
  return rule === refused ? 'refused' : 'asks'
}
