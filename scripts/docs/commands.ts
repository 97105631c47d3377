/** Prints docs/commands.md and the man pages from the declarations of the commands. */
import { type Command, optionsOf, positionalsOf, valueName } from '../../src/cli/common/declare.ts'
import { grouped, optionText, subCommandsOf, usageOf } from '../../src/cli/help.ts'
import { defaultCommand } from '../../src/cli/table.ts'
import { EXIT_CODES } from '../../src/core/exit-codes.ts'
import { GENERATED } from './generated.ts'

interface Named {
  readonly name: string
  readonly command: Command
}

/** Returns every command by group, in the order of the help; sub-commands follow their command. */
async function everything(): Promise<readonly (readonly [group: string, commands: readonly Named[]])[]> {
  const own: Named = { name: '', command: (await defaultCommand()).default }
  const groups = await Promise.all(
    [...(await grouped())].map(async ([group, commands]) => {
      const below = await Promise.all(
        commands.map(async ([name, command]) => {
          const subs = await subCommandsOf(command)
          return [{ name, command }, ...subs.map(([sub, one]) => ({ name: `${name} ${sub}`, command: one }))]
        }),
      )
      return [group, below.flat()] as const
    }),
  )
  return [['The agent of a folder', [own]], ...groups]
}

const title = (name: string): string => `coop ${name}`.trim()
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

function rows(pairs: readonly (readonly [string, string])[]): string[] {
  return [
    '| | |',
    '|---|---|',
    ...pairs.map(([left, right]) => `| \`${left.trim().replaceAll('|', '\\|')}\` | ${cell(right)} |`),
  ]
}

function section({ name, command }: Named): string[] {
  const { args, meta } = command
  const lines = [
    `### ${title(name)}`,
    '',
    meta.description,
    '',
    '```',
    `${title(name)} ${usageOf(command)}`.trim(),
    '```',
    '',
  ]
  const pairs = [
    ...positionalsOf(args).map(([key, arg]) => [valueName(key, arg), arg.description ?? ''] as const),
    ...optionsOf(args).map(([key, arg]) => [optionText(key, arg), arg.description ?? ''] as const),
  ]
  lines.push(...rows(pairs), '')
  if (meta.examples.length)
    lines.push('```console', ...meta.examples.map((one) => `$ ${one.replace(/ {3,}/, '$&# ')}`), '```', '')
  if (meta.exits)
    lines.push('Exit codes beside those of every command:', '', ...rows(Object.entries(meta.exits)), '')
  return lines
}

export async function commandsPage(): Promise<string> {
  const groups = await everything()
  const lines = groups.flatMap(([group, commands]) => [`## ${group}`, '', ...commands.flatMap(section)])
  const exits = [
    '## Exit codes',
    '',
    ...rows(Object.entries(EXIT_CODES)),
    '',
    'Error codes are in [errors.md](errors.md).',
  ]
  return `${['# Commands', '', GENERATED, '', ...lines, ...exits].join('\n')}\n`
}

/** Escapes a text for a man page (man(7)). groff alone takes no UTF-8; every program takes names of code points. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(['.])/gm, '\\&$1')
    .replace(/[^\x00-\x7f]/gu, (character) => `\\[u${hex(character)}]`)

const hex = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')

function manPage({ name, command }: Named, others: readonly string[]): string {
  const { args, meta } = command
  const page = title(name).replaceAll(' ', '-')
  const paragraphs = (pairs: readonly (readonly [string, string])[]): string[] =>
    pairs.flatMap(([left, right]) => ['.TP', `.B ${roff(left.trim())}`, roff(right)])
  const lines = [
    `.TH ${page.toUpperCase()} 1 "" "coop" "User Commands"`,
    '.SH NAME',
    `${roff(page)} \\- ${roff(meta.summary)}`,
    '.SH SYNOPSIS',
    `.B ${roff(title(name))}`,
    roff(usageOf(command)),
    '.SH DESCRIPTION',
    roff(meta.description),
  ]
  const positionals = positionalsOf(args).map(
    ([key, arg]) => [valueName(key, arg), arg.description ?? ''] as const,
  )
  if (positionals.length) lines.push('.SH ARGUMENTS', ...paragraphs(positionals))
  lines.push(
    '.SH OPTIONS',
    ...paragraphs(
      optionsOf(args).map(([key, arg]) => [optionText(key, arg), arg.description ?? ''] as const),
    ),
  )
  if (meta.examples.length) lines.push('.SH EXAMPLES', '.nf', ...meta.examples.map(roff), '.fi')
  if (!name)
    lines.push(
      '.SH ERRORS',
      roff('Every error ends with its code, such as [E_NO_BOX]; "coop help E_NO_BOX" explains it.'),
    )
  lines.push('.SH EXIT STATUS', ...paragraphs(Object.entries({ ...EXIT_CODES, ...meta.exits })))
  if (others.length) lines.push('.SH SEE ALSO', others.map((one) => `.BR ${roff(one)} (1)`).join('\n'))
  return `${lines.join('\n')}\n`
}

/** Returns the man pages by their file names. */
export async function manPages(): Promise<ReadonlyMap<string, string>> {
  const all = (await everything()).flatMap(([, commands]) => commands)
  const page = ({ name }: Named): string => title(name).replaceAll(' ', '-')
  const firstLevel = all.filter(({ name }) => name && !name.includes(' '))
  return new Map(
    all.map((one) => {
      const below = all.filter(({ name }) => one.name && name.startsWith(`${one.name} `))
      const others = one.name ? ['coop', ...below.map(page)] : firstLevel.map(page)
      return [`${page(one)}.1`, manPage(one, others)] as const
    }),
  )
}
