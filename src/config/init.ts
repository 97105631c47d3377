/** `coop init`: a commented coop.toml that fits the repository. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { readSmallFile } from '../disk/small-file.ts'
import type { Config, SessionConfig, TableName } from './config.ts'
import { type Fields, keysOf, SCHEMA, TABLE_NAMES } from './schema.ts'
import { tomlString, tomlValue } from './toml.ts'
import { isUnbuilt } from './unbuilt.ts'

/** Facts about a repository; "" means unknown. */
export interface RepositoryFacts {
  readonly language: string
  readonly packageManager: string
  /** The agent that the repository already has settings for. */
  readonly agent: string
}

/** An agent that this machine has. */
export interface InstalledAgent {
  readonly name: string
  /** The command that installs it elsewhere, for example in an image. */
  readonly install: string
}

interface Manager {
  readonly name: string
  readonly language: string
  /** Files that only this tool leaves behind. The first manager with one of its files wins. */
  readonly files: readonly string[]
  readonly image: string
  /** The tool's download cache in the home, worth a volume. */
  readonly cache: string
}

const NODE = { language: 'JavaScript', image: 'node:lts' }
const PYTHON = { language: 'Python', image: 'python:3' }
const JAVA = { language: 'Java', image: 'eclipse-temurin:21' }

const MANAGERS: readonly Manager[] = [
  {
    name: 'bun',
    ...NODE,
    image: 'oven/bun:latest',
    files: ['bun.lock', 'bun.lockb'],
    cache: '.bun/install/cache',
  },
  { name: 'pnpm', ...NODE, files: ['pnpm-lock.yaml'], cache: '.local/share/pnpm' },
  { name: 'yarn', ...NODE, files: ['yarn.lock'], cache: '.cache/yarn' },
  {
    name: 'npm',
    ...NODE,
    files: ['package-lock.json', 'npm-shrinkwrap.json', 'package.json'],
    cache: '.npm',
  },
  { name: 'cargo', language: 'Rust', image: 'rust:latest', files: ['Cargo.toml'], cache: '.cargo/registry' },
  { name: 'go', language: 'Go', image: 'golang:latest', files: ['go.mod'], cache: 'go/pkg/mod' },
  { name: 'uv', ...PYTHON, files: ['uv.lock'], cache: '.cache/uv' },
  { name: 'poetry', ...PYTHON, files: ['poetry.lock'], cache: '.cache/pypoetry' },
  { name: 'pip', ...PYTHON, files: ['pyproject.toml', 'requirements.txt', 'setup.py'], cache: '.cache/pip' },
  { name: 'bundler', language: 'Ruby', image: 'ruby:latest', files: ['Gemfile'], cache: '.bundle/cache' },
  { name: 'maven', ...JAVA, image: 'maven:latest', files: ['pom.xml'], cache: '.m2' },
  {
    name: 'gradle',
    ...JAVA,
    files: ['build.gradle', 'build.gradle.kts', 'settings.gradle'],
    cache: '.gradle',
  },
  {
    name: 'composer',
    language: 'PHP',
    image: 'composer:latest',
    files: ['composer.json'],
    cache: '.cache/composer',
  },
  { name: 'mix', language: 'Elixir', image: 'elixir:latest', files: ['mix.exs'], cache: '.hex' },
]

// Files that configure an agent in a repository. AGENTS.md names no agent, because many read it.
const AGENT_FILES: readonly (readonly [agent: string, file: string])[] = [
  ['claude', 'CLAUDE.md'],
  ['claude', '.claude'],
  ['codex', '.codex'],
  ['gemini', 'GEMINI.md'],
  ['gemini', '.gemini'],
  ['opencode', 'opencode.json'],
  ['opencode', '.opencode'],
  ['aider', '.aider.conf.yml'],
]

const MAX_PACKAGE_JSON_BYTES = 1024 * 1024

/** Looks at a few well-known files of a repository. Never fails: unreadable facts are unknown. */
export function detectRepository(dir: string): RepositoryFacts {
  const has = (file: string): boolean => exists(join(dir, file))
  const agent = AGENT_FILES.find(([, file]) => has(file))?.[0] ?? ''
  const found = MANAGERS.find(({ files }) => files.some(has))
  if (found === undefined) return { language: '', packageManager: '', agent }
  if (found.language !== NODE.language) return { language: found.language, packageManager: found.name, agent }
  const declared = declaredManager(dir)
  const packageManager = MANAGERS.find(({ name }) => name === declared)?.name ?? found.name
  return { language: has('tsconfig.json') ? 'TypeScript' : NODE.language, packageManager, agent }
}

/** The tool named in package.json: `"packageManager": "pnpm@9.1.0"`. */
function declaredManager(dir: string): string | undefined {
  try {
    const bytes = readSmallFile(join(dir, 'package.json'), { maxBytes: MAX_PACKAGE_JSON_BYTES, within: dir })
    if (bytes === undefined) return undefined
    const manifest: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof manifest !== 'object' || manifest === null || !('packageManager' in manifest)) return undefined
    return typeof manifest.packageManager === 'string' ? manifest.packageManager.split('@')[0] : undefined
  } catch (error) {
    // A broken package.json is the repository's own problem.
    if (error instanceof SyntaxError || error instanceof CoopError) return undefined
    throw error
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

/** What each table is about. */
export const TABLE_DOCS: { readonly [T in keyof Config]: string } = {
  sandbox: 'The box: what it starts from and what runs in it.',
  workspace: 'This repository inside the box.',
  env: 'Environment variables. "$NAME" takes the value from this machine; unset, it is left out.',
  network: 'What the box can reach.',
  session: 'The agent and its terminals.',
  limits: 'What the box may use.',
  input_filter: 'What browsers and tunnels cannot type at the agent.',
  secrets: 'Files hidden from the box besides those that coop knows by name.',
  broker: 'Keys of model providers that stay outside of boxes.',
  serve: 'The web interface.',
  ui: 'How coop looks.',
  update: 'Releases of coop.',
}

/**
 * The text for coop.toml. Values that equal the defaults are comments, so that the user's own default.toml
 * still counts; removing the `# ` in front of a `key = value` line gives the default. What has no effect yet is left out:
 * a value there would be refused.
 */
export function renderInit(facts: RepositoryFacts, installed: readonly InstalledAgent[] = []): string {
  const lines = [
    '# How coop runs agents in this repository. Every line that starts with "# key =" shows a default;',
    '# remove the "# " to change it. `coop config` shows what is in force and where it comes from.',
    ...foundText(facts, installed).map((text) => `# ${text}`),
  ]
  for (const name of TABLE_NAMES) {
    const own =
      name === 'env'
        ? [`#   for example: ANTHROPIC_API_KEY = "$ANTHROPIC_API_KEY"`]
        : tableLines(name, facts, installed)
    if (own.length) lines.push('', `# ${TABLE_DOCS[name]}`, `[${name}]`, ...own)
  }
  return `${lines.join('\n')}\n`
}

/** The facts that coop found about the repository and the machine, one per line. */
export function foundText(
  { language, packageManager, agent }: RepositoryFacts,
  installed: readonly InstalledAgent[],
): string[] {
  const names = installed.map(({ name }) => name).join(', ')
  return [
    ...(language ? [`found: ${language}, ${packageManager}`] : []),
    ...(agent ? [`found: settings for ${agent}`] : []),
    ...(names ? [`installed on this machine: ${names}`] : []),
  ]
}

function tableLines(
  name: keyof typeof SCHEMA,
  facts: RepositoryFacts,
  installed: readonly InstalledAgent[],
): string[] {
  switch (name) {
    case 'sandbox': {
      const set = facts.agent === '' ? {} : { agent: facts.agent }
      return fieldLines(name, SCHEMA.sandbox, set, examplesOf(facts, installed))
    }
    case 'workspace':
      return fieldLines(name, SCHEMA.workspace)
    case 'network':
      return fieldLines(name, SCHEMA.network)
    case 'session': {
      const { notify: _, ...session } = SCHEMA.session // a project may not set it
      return fieldLines<Omit<SessionConfig, 'notify'>>(name, session)
    }
    case 'limits':
      return fieldLines(name, SCHEMA.limits)
    case 'input_filter':
      return fieldLines(name, SCHEMA.input_filter)
    case 'secrets':
      return fieldLines(name, SCHEMA.secrets)
    case 'broker':
    case 'serve':
    case 'ui':
    case 'update':
      return [] // a project may not set it
  }
}

type Examples = ReadonlyMap<string, string>

function fieldLines<T extends object>(
  table: TableName,
  fields: Fields<T>,
  set: Partial<T> = {},
  examples: Examples = new Map(),
): string[] {
  return keysOf(fields).flatMap((key) => {
    if (isUnbuilt(table, key)) return []
    const field = fields[key]
    const value = set[key]
    const line =
      value === undefined
        ? `# ${key} = ${tomlValue(field.show(field.default))}`
        : `${key} = ${tomlValue(field.show(value))}`
    const example = examples.get(key)
    return [`# ${field.doc}`, ...(example === undefined ? [] : [`#   for example: ${example}`]), line]
  })
}

/** Examples that fit the repository. They stay comments, because only a person can choose. */
function examplesOf(
  { agent, language, packageManager }: RepositoryFacts,
  installed: readonly InstalledAgent[],
): Examples {
  const manager = MANAGERS.find(({ name }) => name === packageManager)
  const meant = installed.find(({ name }) => name === agent) ?? installed[0]
  const examples = new Map<string, string>()
  if (meant && !agent) examples.set('agent', `agent = ${tomlString(meant.name)}`)
  if (!manager) return examples
  examples.set('image', `image = ${tomlString(manager.image)} for ${language || manager.language}`)
  const byNpm = manager.language === NODE.language && meant?.install.startsWith('npm ')
  const step = byNpm && meant ? meant.install : 'apt-get update && apt-get install -y ripgrep'
  examples.set('setup', `setup = [${tomlString(step)}], for an image that is not "host"`)
  const cache = tomlString(`${manager.name}-cache:~/${manager.cache}`)
  examples.set('mounts', `mounts = [${cache}] keeps the downloads of ${manager.name}`)
  return examples
}
