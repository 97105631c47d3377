/** What a command of the command line is, and how its arguments are read (node:util parseArgs, strict). */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '../config/nearest.ts'
import { CoopError } from '../errors.ts'

export interface Option {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  /** May be given several times. */
  readonly multiple?: boolean
  /** Name of the value in help texts. */
  readonly value?: string
  readonly about: string
}

export interface Command {
  /** After the name: `[BOX]`, `[--] CMD…`. */
  readonly usage: string
  readonly about: string
  readonly examples: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  /** Everything from the first argument that is no option belongs to somebody else. */
  readonly passThrough?: boolean
  /** How many arguments it takes at most; unlimited when left out. */
  readonly maxArguments?: number
  readonly commands?: Readonly<Record<string, { readonly about: string; load(): Promise<Command> }>>
  run?(args: Arguments): Promise<number>
}

export class Arguments {
  readonly positionals: readonly string[]
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>, positionals: readonly string[]) {
    this.#values = values
    this.positionals = positionals
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  list(name: string): string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  number(name: string, min: number, max: number): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new CoopError(
        'E_USAGE',
        `--${name} takes a number from ${min} to ${max}, not ${JSON.stringify(value)}`,
      )
    return number
  }
}

const HELP = { help: { type: 'boolean', short: 'h' } } as const

/** Where the arguments of somebody else's command begin. */
function splitAt(argv: readonly string[], options: Command['options']): number {
  const takesValue = (name: string): boolean =>
    Object.entries(options).some(
      ([long, option]) => option.type === 'string' && (name === `--${long}` || name === `-${option.short}`),
    )
  let at = 0
  while (at < argv.length) {
    const word = argv[at] ?? ''
    if (word === '--') return at
    if (!word.startsWith('-') || word === '-') return at
    at += takesValue(word) ? 2 : 1
  }
  return argv.length
}

function usageError(error: unknown, name: string, options: Command['options']): CoopError {
  const message = error instanceof Error ? error.message : String(error)
  const unknown = /Unknown option '(-{1,2}[^']+)'/.exec(message)?.[1]
  if (unknown === undefined) {
    // The library's first sentence says it; the rest talks to programmers.
    return new CoopError('E_USAGE', message.split('. ')[0] ?? message, {
      hint: `coop ${name} --help`.replace('  ', ' '),
    })
  }
  const flags = Object.entries(options).flatMap(([long, { short }]) => [
    `--${long}`,
    ...(short ? [`-${short}`] : []),
  ])
  const meant = nearest(unknown, flags)
  return new CoopError('E_USAGE', `there is no option ${unknown}`, {
    hint: meant ? `did you mean ${meant}?` : `coop ${name} --help`.replace('  ', ' '),
  })
}

/** Read a command's arguments. Raises E_USAGE with the nearest real option. */
export function readArguments(
  name: string,
  command: Command,
  argv: readonly string[],
): Arguments & { help: boolean } {
  const split = command.passThrough ? splitAt(argv, command.options) : argv.length
  const rest = argv.slice(split)
  const options: ParseArgsConfig['options'] = { ...HELP }
  for (const [long, option] of Object.entries(command.options)) {
    options[long] = {
      type: option.type,
      ...(option.short ? { short: option.short } : {}),
      ...(option.multiple ? { multiple: true } : {}),
    }
  }
  let parsed: { values: Record<string, unknown>; positionals: string[] }
  try {
    parsed = parseArgs({ args: argv.slice(0, split), options, allowPositionals: true, strict: true })
  } catch (error) {
    throw usageError(error, name, command.options)
  }
  const positionals = [...parsed.positionals, ...(rest[0] === '--' ? rest.slice(1) : rest)]
  const help = parsed.values.help === true
  if (!help && command.maxArguments !== undefined && positionals.length > command.maxArguments) {
    throw new CoopError(
      'E_USAGE',
      `${JSON.stringify(positionals[command.maxArguments])} is one argument too many`,
      {
        hint: `coop ${name} --help`.replace('  ', ' '),
      },
    )
  }
  return Object.assign(new Arguments(parsed.values, positionals), { help })
}

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
  const options = Object.entries(command.options).map(([long, option]) => {
    const short = option.short ? `-${option.short}, ` : '    '
    return [`${short}--${long}${option.value ? ` ${option.value}` : ''}`, option.about] as const
  })
  lines.push('', 'Options:', ...table([...options, ['-h, --help', 'show this text']]))
  if (command.examples.length)
    lines.push('', 'Examples:', ...command.examples.map((example) => `  ${example}`))
  return `${lines.join('\n')}\n`
}
