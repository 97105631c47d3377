/** Prints the texts of `--help` from the declarations. */
import {
  type Arg,
  type Command,
  GROUPS,
  letterOf,
  optionsOf,
  positionalsOf,
  valueName,
} from './common/declare.ts'
import { filled, readingWidth } from './common/output.ts'
import { COMMANDS, defaultCommand } from './table.ts'

/** Returns a usage line such as `[OPTIONS] [BOX] NAME…`. */
export function usageOf(command: Command): string {
  const { args, meta, subCommands } = command
  const words = positionalsOf(args).map(([name, arg]) => {
    const word = `${valueName(name, arg)}${arg.many ? '…' : ''}`
    return arg.required ? word : `[${word}]`
  })
  // `--help` alone is not worth `[OPTIONS]`.
  const options = optionsOf(args).length > 1 ? ['[OPTIONS]'] : []
  if (subCommands && !command.run) return 'COMMAND'
  return [...options, ...(meta.passThrough ? ['[--]'] : []), ...words].join(' ')
}

/** Returns an option such as `-n, --name NAME`. */
export function optionText(name: string, arg: Arg): string {
  const letter = letterOf(arg)
  const value = arg.type === 'boolean' ? '' : ` ${valueName(name, arg)}`
  return `${letter ? `-${letter}, ` : '    '}--${name}${value}`
}

function list(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  const indent = ' '.repeat(width + 4)
  // Beside a long name on a narrow terminal no room is left to lay a text out in.
  const columns = Math.max(readingWidth(), indent.length + NARROWEST_TEXT)
  return rows.flatMap(([left, right]) => filled(right, columns, `  ${left.padEnd(width)}  `, indent))
}

const NARROWEST_TEXT = 24

/** Returns the sub-commands with their summaries. */
export async function subCommandsOf({
  subCommands = {},
}: Command): Promise<readonly (readonly [string, Command])[]> {
  return Promise.all(
    Object.entries(subCommands).map(async ([name, load]) => [name, (await load()).default] as const),
  )
}

/** Returns the text of `coop NAME --help`. */
export async function helpText(name: string, command: Command): Promise<string> {
  const { args, meta } = command
  const lines = [
    ...filled(meta.description, readingWidth()),
    '',
    `Usage: ${`coop ${name} ${usageOf(command)}`.replace(/ +/g, ' ').trim()}`,
  ]
  const below = await subCommandsOf(command)
  if (below.length)
    lines.push(
      '',
      'Commands:',
      ...list(
        below.map(
          ([
            sub,
            {
              meta: { summary },
            },
          ]) => [sub, summary],
        ),
      ),
    )
  const positionals = positionalsOf(args).map(
    ([key, arg]) => [valueName(key, arg), arg.description ?? ''] as const,
  )
  if (positionals.length) lines.push('', 'Arguments:', ...list(positionals))
  const options = optionsOf(args).map(([key, arg]) => [optionText(key, arg), arg.description ?? ''] as const)
  lines.push('', 'Options:', ...list(options))
  if (meta.examples.length) lines.push('', 'Examples:', ...meta.examples.map((example) => `  ${example}`))
  if (meta.exits) lines.push('', 'Exit codes:', ...list(Object.entries(meta.exits)))
  return `${lines.join('\n')}\n`
}

/** Returns the first-level commands by group. */
export async function grouped(): Promise<ReadonlyMap<string, readonly (readonly [string, Command])[]>> {
  const all = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => [name, (await load()).default as Command] as const),
  )
  return new Map(GROUPS.map((group) => [group, all.filter(([, { meta }]) => meta.group === group)]))
}

/** Returns the text of `coop --help`. */
export async function overview(): Promise<string> {
  const own = (await defaultCommand()).default
  const groups = [...(await grouped())].flatMap(([group, commands]) => [
    '',
    `${group}:`,
    ...commands.map(([name, { meta }]) => `  ${name.padEnd(10)}  ${meta.summary}`),
  ])
  const text = await helpText('', own)
  const more =
    'coop COMMAND --help explains a command, coop help E_CODE an error; coop --version prints the release.'
  return `${text}${groups.join('\n')}\n\n${filled(more, readingWidth()).join('\n')}\n`
}
