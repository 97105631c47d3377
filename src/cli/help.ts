/** Texts of `--help`. */
import { type Command, HELP } from './common/declare.ts'
import { COMMANDS } from './table.ts'

/** The text of `--help`. */
export function helpText(name: string, command: Command): string {
  const lines = [`${command.about}`, '', `Usage: coop ${name} ${command.usage}`.replace(/ +/g, ' ').trimEnd()]
  const table = (rows: readonly (readonly [string, string])[]): string[] => {
    const width = Math.max(...rows.map(([left]) => left.length))
    return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
  }
  if (command.commands) {
    const rows = Object.entries(command.commands).map(([sub, { about }]) => [sub, about] as const)
    lines.push('', 'Commands:', ...table(rows))
  }
  const options = Object.entries({ ...command.options, ...HELP }).map(([long, option]) => {
    const short = option.short ? `-${option.short}, ` : '    '
    return [`${short}--${long}${option.value ? ` ${option.value}` : ''}`, option.about] as const
  })
  lines.push('', 'Options:', ...table(options))
  if (command.examples.length)
    lines.push('', 'Examples:', ...command.examples.map((example) => `  ${example}`))
  return `${lines.join('\n')}\n`
}

/** The text of `coop --help`; `own` is what `coop` alone does. */
export function overview(own: Command): string {
  const text = helpText('', own)
  const rows = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(8)}  ${about}`)
  return `${text}\nCommands:\n${rows.join('\n')}\n\ncoop COMMAND --help tells more about each; coop --version tells which release this is.\n`
}
