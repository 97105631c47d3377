/** Prints docs/configuration.md from the schema of coop.toml. */
import { BOX_OPTIONS } from '../../src/cli/common/box-options.ts'
import type { TableName } from '../../src/config/config.ts'
import { TABLE_DOCS } from '../../src/config/init.ts'
import {
  FIRST_RELEASE,
  KEY_DOCS,
  type KeyDoc,
  SET_VARIABLES,
  VARIABLE_DOCS,
} from '../../src/config/key-docs.ts'
import { FLAGS, VARIABLES } from '../../src/config/load.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { ENV_VALUE, type Field, SCHEMA, TABLE_NAMES } from '../../src/config/schema.ts'
import { tomlValue } from '../../src/config/toml.ts'
import { isUnbuilt } from '../../src/config/unbuilt.ts'
import { CoopError } from '../../src/core/errors.ts'
import { type RULES, standingOf } from '../../src/trust/rules.ts'
import { GENERATED } from './generated.ts'

/** One key that has an effect. */
export interface Key {
  readonly table: TableName
  readonly name: string
  readonly field: Field<unknown>
  readonly doc: KeyDoc | undefined
  readonly standing: 'free' | 'asks' | 'refused'
  /** Its example is taken from a project's file. */
  readonly projectMay: boolean
}

/** Returns every key that has an effect, in the order of the schema. */
export function keys(): readonly Key[] {
  return TABLE_NAMES.flatMap((table) => {
    if (table === 'env') return []
    const fields: Readonly<Record<string, unknown>> = SCHEMA[table]
    const docs: Readonly<Record<string, KeyDoc | undefined>> = KEY_DOCS[table]
    return Object.entries(fields)
      .filter(([name]) => !isUnbuilt(table, name))
      .map(([name, field]) => ({
        table,
        name,
        field: field as Field<unknown>,
        doc: docs[name],
        standing: standingOf(table, name as keyof (typeof RULES)[typeof table]),
        projectMay: isRead(`[${table}]\n${name} = ${docs[name]?.example}\n`, 'project'),
      }))
  })
}

/** Whether a file of that layer may say this. */
export function isRead(text: string, layer: 'project' | 'global'): boolean {
  try {
    parseConfig(text, { file: 'coop.toml', layer })
    return true
  } catch (error) {
    if (error instanceof CoopError && error.code === 'E_CONFIG') return false
    throw error
  }
}

const code = (text: string): string => `\`${text}\``

/** Returns the layers that may set a key, the weakest first. */
function layersOf({ table, name, projectMay }: Key): string {
  const path = `${table}.${name}`
  const variable = VARIABLES.get(path)
  const flag = FLAGS.get(path)
  const isOption = flag !== undefined && Object.hasOwn(BOX_OPTIONS, flag.replace(/^--/, ''))
  const places = ['default.toml', ...(projectMay ? ['coop.toml'] : [])]
  return [...places, ...(variable ? [variable] : []), ...(isOption ? [flag] : [])].map(code).join(', ')
}

function trustOf({ standing, doc }: Key): string {
  if (standing === 'free') return 'any value'
  return standing === 'refused' ? `${doc?.project}` : `needs your word ${doc?.project}`
}

function section(key: Key): string[] {
  const { table, name, field, doc } = key
  return [
    `### ${table}.${name}`,
    '',
    field.doc,
    '',
    `- **Value:** ${field.expected}${field.appends ? '; the lists of all files are joined' : ''}`,
    `- **Default:** ${code(tomlValue(field.show(field.default)))}`,
    `- **Can be set in:** ${layersOf(key)}`,
    `- **In a project's file:** ${trustOf(key)}`,
    `- **Since:** ${doc?.since ?? FIRST_RELEASE}`,
    '',
    '```toml',
    `[${table}]`,
    `${name} = ${doc?.example}`,
    '```',
    '',
  ]
}

const ENV_SECTION = [
  '### env.NAME',
  '',
  'The variable NAME in the box. A box gets only your locale, time zone, terminal and proxies from your environment.',
  '',
  `- **Value:** ${ENV_VALUE.expected}; \`"$NAME"\` takes the value of your variable NAME, and leaves it out if it is not set`,
  '- **Default:** none',
  '- **Can be set in:** `default.toml`, `coop.toml`, `-e NAME=VALUE`, `-e NAME` for your value',
  "- **In a project's file:** needs your word for your variables and for all names but a few harmless ones (`NODE_ENV`, `LANG`, `TZ`, `PORT`, `DEBUG` and the like)",
  `- **Since:** ${FIRST_RELEASE}`,
  '',
  '```toml',
  '[env]',
  'ANTHROPIC_API_KEY = "$ANTHROPIC_API_KEY"',
  '```',
  '',
]

const variables = (docs: Readonly<Record<string, string>>): string[] => [
  '| variable | meaning |',
  '|---|---|',
  ...Object.entries(docs).map(([name, text]) => `| ${code(name)} | ${text} |`),
  '',
]

export function configurationPage(): string {
  const all = keys()
  const tables = TABLE_NAMES.flatMap((table) => {
    const own = table === 'env' ? ENV_SECTION : all.filter((key) => key.table === table).flatMap(section)
    return own.length ? [`## [${table}]`, '', TABLE_DOCS[table], '', ...own] : []
  })
  const lines = [
    '# Configuration',
    '',
    GENERATED,
    '',
    'Coop works without any configuration. What you set comes from these places; later ones win:',
    '',
    '1. the built-in defaults,',
    '2. your own `~/.config/coop/default.toml`, for all projects,',
    '3. `coop.toml` in the folder of the project,',
    '4. the variables `COOP_IMAGE`, `COOP_AGENT` and `COOP_NETWORK`,',
    '5. options of the command.',
    '',
    '`coop config` shows every value and where it comes from. `coop init` writes a commented `coop.toml`. A box keeps what it was',
    'made with; `coop stop` and `coop start` read the files again.',
    '',
    'A value replaces an earlier one. The lists `setup` and `mounts` are joined, and `[env]` is joined by name. Unknown keys and',
    'wrong values are errors that name the file, the line and what is expected. Keys of later releases are errors, too, not ignored.',
    '',
    "A project's `coop.toml` comes with the repository. What reaches beyond the box needs your word once, given with `coop trust` or",
    '`--trust`; each key below says when. A project can always ask for less than your own settings allow.',
    '',
    ...tables,
    '## Variables',
    '',
    'Coop reads these variables. One that is set to nothing counts as not set.',
    '',
    ...variables(VARIABLE_DOCS),
    'Coop sets these:',
    '',
    ...variables(SET_VARIABLES),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}
