/**
 * coop.toml as a type and as a table. Only the table knows the keys: type checks, the detection of unknown keys, the
 * `coop config` listing and `coop init` are all made from it.
 */

import { isHostname } from '../core/names.ts'
import { normalize } from '../core/posix-path.ts'
import { isConfiguredPattern } from '../secrets/coopignore.ts'
import { THEME_NAMES } from '../themes/names.ts'
import { isKernelPlace } from './box-paths.ts'
import { brokeredProvider } from './broker-values.ts'
import { type Config, type NetworkMode, type TableName, type Tables, TOOL_NAMES } from './config.ts'
import { mount } from './mounts.ts'
import {
  BadValue,
  count,
  cpus,
  flag,
  integer,
  isPort,
  type Kind,
  list,
  oneOf,
  publishedPort,
  size,
  text,
} from './values.ts'

export type * from './config.ts'

/** One key of coop.toml. */
export interface Field<T> extends Kind<T> {
  readonly default: T
  readonly doc: string
  /** Joins a later layer's value with an earlier one; most values replace. */
  readonly merge: (earlier: T, later: T) => T
  /** True for lists that append: each item then keeps its layer. */
  readonly appends: boolean
}

export type Fields<T> = { readonly [K in keyof T]: Field<T[K]> }

function field<T>(kind: Kind<T>, initial: T, doc: string): Field<T> {
  return { ...kind, default: initial, doc, merge: (_earlier, later) => later, appends: false }
}

function appending<T>(kind: Kind<readonly T[]>, doc: string): Field<readonly T[]> {
  return { ...kind, default: [], doc, merge: (earlier, later) => [...earlier, ...later], appends: true }
}

const MAX_PIDS = 4_194_304 // PID_MAX_LIMIT of 64-bit Linux
const DEFAULT_PIDS = 4096 // plenty for a build, not enough for a fork bomb to hurt the host
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

const anyText = (expected: string): Kind<string> => text({ expected, test: () => true })
const nonEmpty = (expected: string, control = false): Kind<string> =>
  text({ expected, test: (value) => value.trim() !== '', control })

// A folder below the home or the workspace, in one spelling. It may neither climb out nor be the whole.
const innerPath = normalized(
  text({
    expected: 'a relative path without ".."',
    test: (path) =>
      !path.startsWith('/') &&
      !path.startsWith('~') &&
      !path.split('/').includes('..') &&
      normalize(path) !== '.',
  }),
)

/** Gives the same place one spelling. */
function normalized(path: Kind<string>): Kind<string> {
  return { ...path, read: (value) => path.read(value) && normalize(path.read(value)) }
}

// Folders that a box consists of: the workspace would replace them, or be covered by them.
const TAKEN = '/bin /boot /etc /home /lib /lib32 /lib64 /opt /root /run /sbin /tmp /usr /var'.split(' ')

function isTaken(path: string): boolean {
  return isKernelPlace(path) || TAKEN.includes(normalize(path))
}

const imageReference = text({
  expected: '"host" or an image reference such as "debian:latest"',
  test: (reference) =>
    reference.length <= 512 &&
    (/^[^\s-]\S*$/.test(reference) || /^(?:rootfs|oci|oci-archive|docker-archive):./.test(reference)),
})

// Checks the shape only; the gateway's own parser decides what a rule matches.
const allowRule = text({
  expected: 'a host name, "*.suffix", "host:port", IP address, CIDR or "*"',
  test: (rule) => {
    if (rule === '*' || /^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/.test(rule)) return true
    if (/^(?:[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*)(?:\/\d{1,3})?$/i.test(rule)) return true
    const match = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(rule)
    return match !== null && (match[1] === undefined || isPort(Number(match[1])))
  },
})

// Patterns as in .gitignore.
const namePattern = (shows: boolean): Kind<string> =>
  text({
    expected: 'a file name pattern as in .gitignore, without "!"',
    test: (pattern) => isConfiguredPattern(pattern, shows),
  })

const networks = oneOf('host', 'none')
// "veth" is known, so that unbuilt.ts can refuse it by name; hints do not offer it, because it does not work yet.
const networkMode: Kind<NetworkMode> = {
  ...networks,
  show: (mode) => mode,
  read: (value) => (value === 'veth' ? value : networks.read(value)),
}

// ctrl-[ is Escape, ctrl-i Tab, ctrl-j and ctrl-m Return: as detach keys these would make a terminal useless.
const detachKey = text({
  expected: '"ctrl-" and a letter or one of ] \\ ^ _ @ (not i, j, m)',
  test: (key) => /^ctrl-[a-hk-ln-z\]\\^_@]$/.test(key),
})

const MAX_SEQUENCES = 32 // a project may set them, and each byte of input is compared with all
const MAX_SEQUENCE = 32 // characters
const sequences = list(
  text({
    expected: `a string of 1 to ${MAX_SEQUENCE} characters`,
    test: (value) => value !== '' && value.length <= MAX_SEQUENCE,
    control: true,
  }),
  'strings',
)
const fewSequences: Kind<readonly string[]> = {
  ...sequences,
  read: (value) => {
    const found = sequences.read(value)
    if (found.length <= MAX_SEQUENCES) return found
    throw new BadValue(`a list of at most ${MAX_SEQUENCES} strings`, value)
  },
}

/** Every key of every fixed table. */
export const SCHEMA: { readonly [T in TableName]: Fields<Tables[T]> } = {
  sandbox: {
    image: field(
      imageReference,
      'host',
      'What the box starts from: "host" (this machine\'s programs) or an OCI image such as "debian:latest".',
    ),
    agent: field(
      anyText('a command, or "" to find an installed agent'),
      '',
      'The agent. Empty: the first of claude, codex, gemini, opencode, aider that is installed.',
    ),
    args: field(
      list(text({ expected: 'a string', test: () => true, control: true }), 'strings'),
      [],
      'Arguments for the agent.',
    ),
    shell: field(nonEmpty('a command such as "bash"'), 'bash', 'What `coop shell` starts.'),
    user: field(
      text({
        expected: 'a user name (a lowercase letter or "_", then letters, digits, "-", "_", at most 32)',
        test: (name) => /^[a-z_][a-z0-9_-]{0,31}$/.test(name),
      }),
      'coop',
      "The name of the box's root user, whose home is /home/<user>.",
    ),
    hostname: field(
      text({
        expected: 'a host name (letters, digits, "-", "."), or "" for the name of the box',
        test: (name) => name === '' || isHostname(name),
      }),
      '',
      "The box's host name. Empty: the name of the box.",
    ),
    setup: appending(
      list(nonEmpty('a shell command', true), 'shell commands'),
      'Commands that `coop build` runs once, in order, as root of the box.',
    ),
    mounts: appending(
      list(mount, 'mounts'),
      'More mounts: "source:target[:ro]". A bare name as source is a volume; "~" is the home on either side.',
    ),
    tools: field(
      list(oneOf(...TOOL_NAMES), 'tools'),
      TOOL_NAMES,
      'Tools of your home that boxes of the host image see, read-only, if they are installed.',
    ),
    caches: field(
      oneOf('workspace', 'shared', 'none'),
      'workspace',
      'Caches of npm, pip, cargo and others: kept for this "workspace", "shared" by all boxes, or "none".',
    ),
    nested: field(
      flag,
      false,
      'Allow user namespaces inside the box (sandboxes and container tools of its own).',
    ),
    ptrace: field(flag, true, 'Allow debuggers inside the box.'),
  },
  workspace: {
    mount: field(nonEmpty('a folder such as "."'), '.', 'The folder that the box works in, from here.'),
    path: field(
      normalized(
        text({
          expected:
            'an absolute path without ".." that the box does not need itself, or "" for the same path as outside',
          test: (path) =>
            path === '' || (path.startsWith('/') && !path.split('/').includes('..') && !isTaken(path)),
        }),
      ),
      '',
      'Its path in the box. Empty: the same path as outside.',
    ),
    writable: field(
      list(innerPath, 'paths in the workspace'),
      [],
      'Protected files that the box may write anyway, such as ".vscode".',
    ),
  },
  network: {
    mode: field(networkMode, 'host', '"host" shares this machine\'s network, "none" has loopback only.'),
    allow: field(
      list(allowRule, 'hosts'),
      ['*'],
      'veth: what the box may reach: hosts, "*.suffix", "host:port", CIDRs.',
    ),
    ports: field(
      list(publishedPort, 'ports'),
      [],
      'veth: box ports to publish on this machine\'s loopback: "3000" or "8080:3000".',
    ),
  },
  session: {
    persist: field(
      list(innerPath, 'folders of the home'),
      ['.claude'],
      "Folders of the box's home that are kept for this workspace.",
    ),
    auto_restart: field(flag, true, 'Start the agent again when it crashes; an exit code of 0 is no crash.'),
    restart_delay_ms: field(integer(0, HOUR_MS, ' of milliseconds'), 1000, 'How long to wait before that.'),
    notify: field(
      anyText('a shell command, or "" for none'),
      '',
      'A command to run on this machine when the agent waits for input.',
    ),
    detach_key: field(detachKey, 'ctrl-]', 'The key that detaches a terminal.'),
  },
  limits: {
    memory: field(size, null, 'Memory, such as "4g". Empty: no limit.'),
    cpus: field(cpus, null, 'Processors, such as "2" or "0.5". Empty: no limit.'),
    pids: field(count(16, MAX_PIDS, DEFAULT_PIDS), DEFAULT_PIDS, 'Processes and threads.'),
    disk: field(size, null, 'The box\'s own files, such as "20g". Empty: no limit.'),
  },
  input_filter: {
    ctrl_c_debounce_ms: field(
      integer(0, MINUTE_MS, ' of milliseconds'),
      500,
      'Browser and tunnel: a second Ctrl+C within this time is held back.',
    ),
    block_sequences: field(
      fewSequences,
      [],
      'Browser and tunnel: more input that the agent does not get, such as "\\u001a" (Ctrl+Z).',
    ),
  },
  secrets: {
    hide: field(
      list(namePattern(false), 'file name patterns'),
      [],
      'More files to hide from the box, by pattern.',
    ),
    show: field(
      list(namePattern(true), 'file name patterns'),
      [],
      'Files to show although their name looks like a secret.',
    ),
    strict: field(flag, false, 'Refuse to start a box when coop cannot watch all folders for new secrets.'),
  },
  broker: {
    anthropic: field(
      brokeredProvider,
      null,
      'Where the key of Anthropic is, which stays outside of boxes; "url", "budget" and "prices" are optional.',
    ),
    openai: field(
      brokeredProvider,
      null,
      'The same for OpenAI, or for another provider with its API, at "url".',
    ),
    gemini: field(brokeredProvider, null, 'The same for Gemini.'),
  },
  serve: {
    host: field(
      text({ expected: 'an address or host name', test: (host) => /^[A-Za-z0-9.:_-]+$/.test(host) }),
      '127.0.0.1',
      'The address that `coop serve` listens on.',
    ),
    port: field(integer(1, 65535), 8888, 'Its port.'),
  },
  ui: {
    theme: field(
      oneOf(...THEME_NAMES),
      'auto',
      'Colours of the page and of the command line. "auto" follows the system of whoever looks.',
    ),
  },
  update: {
    check: field(flag, false, 'Look for a newer coop once a day; `coop` tells of it when it ends.'),
  },
}

/** The kind of every value of `[env]`. */
export const ENV_VALUE: Kind<string> = text({
  expected: 'a string (numbers in quotes too)',
  test: () => true,
  control: true,
})

export const TABLE_NAMES: readonly (keyof Config)[] = [
  'sandbox',
  'workspace',
  'env',
  'network',
  'session',
  'limits',
  'input_filter',
  'secrets',
  'broker',
  'serve',
  'ui',
  'update',
]

/** The built-in layer. */
export const DEFAULTS: Config = {
  sandbox: defaultsOf(SCHEMA.sandbox),
  workspace: defaultsOf(SCHEMA.workspace),
  env: {},
  network: defaultsOf(SCHEMA.network),
  session: defaultsOf(SCHEMA.session),
  limits: defaultsOf(SCHEMA.limits),
  input_filter: defaultsOf(SCHEMA.input_filter),
  secrets: defaultsOf(SCHEMA.secrets),
  broker: defaultsOf(SCHEMA.broker),
  serve: defaultsOf(SCHEMA.serve),
  ui: defaultsOf(SCHEMA.ui),
  update: defaultsOf(SCHEMA.update),
}

/** The keys of a table, in the order of the schema. */
export function keysOf<T extends object>(fields: Fields<T>): (keyof T & string)[] {
  // Object.keys loses the key type; `fields` has exactly these keys.
  return Object.keys(fields) as (keyof T & string)[]
}

function defaultsOf<T extends object>(fields: Fields<T>): T {
  const entries = keysOf(fields).map((key) => [key, fields[key].default] as const)
  // Built from every key of T with a value of its type.
  return Object.fromEntries(entries) as T
}
