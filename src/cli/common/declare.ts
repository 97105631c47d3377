/**
 * What a command of the command line is, and how its arguments are read (POSIX utility syntax with GNU long
 * options). By hand: loading node:util for its parseArgs costs a quarter of the start of `coop run`.
 */
import { CoopError } from '../../core/errors.ts'

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
        { hint: `--${name} ${Math.max(min, Math.min(max, 100))}` },
      )
    return number
  }
}

/** What every command has. */
export const HELP: Readonly<Record<string, Option>> = {
  help: { type: 'boolean', short: 'h', about: 'show this text' },
}

// Loaded when there is one.
const mistakes = (): typeof import('./mistakes.ts') => require('./mistakes.ts')

/** Read a command's arguments. Raises E_USAGE with the nearest real option. */
export function readArguments(
  name: string,
  command: Command,
  argv: readonly string[],
): Arguments & { help: boolean } {
  const options = { ...command.options, ...HELP }
  const values: Record<string, unknown> = {}
  const positionals: string[] = []
  let at = 0

  const set = (long: string, option: Option, value: string | boolean): void => {
    const before = values[long]
    values[long] = option.multiple ? [...(Array.isArray(before) ? before : []), value] : value
  }
  const take = (word: string, long: string, option: Option, inline: string | undefined): void => {
    if (option.type === 'boolean') {
      if (inline !== undefined)
        throw new CoopError('E_USAGE', `${word} takes no value`, { hint: mistakes().hintFor(name) })
      set(long, option, true)
      return
    }
    const value = inline ?? argv[at++]
    if (value === undefined)
      throw new CoopError('E_USAGE', `${word} needs a value`, { hint: `${word} ${option.value ?? 'VALUE'}` })
    set(long, option, value)
  }
  const shorts = (word: string): void => {
    for (const [i, letter] of [...word].entries()) {
      if (i === 0) continue
      const found = Object.entries(options).find(([, option]) => option.short === letter)
      if (!found) throw mistakes().unknownOption(word, name, options, letter)
      const [long, option] = found
      const rest = word.slice(i + 1)
      take(`-${letter}`, long, option, option.type === 'string' && rest ? rest : undefined)
      if (option.type === 'string') return
    }
  }

  while (at < argv.length) {
    const word = argv[at++] ?? ''
    if (word === '--') {
      positionals.push(...argv.slice(at))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
      if (!command.passThrough) continue
      positionals.push(...argv.slice(at))
      break
    }
    if (!word.startsWith('--')) {
      shorts(word)
      continue
    }
    const equals = word.indexOf('=')
    const long = word.slice(2, equals < 0 ? undefined : equals)
    const option = Object.hasOwn(options, long) ? options[long] : undefined
    if (!option) throw mistakes().unknownOption(`--${long}`, name, options)
    take(`--${long}`, long, option, equals < 0 ? undefined : word.slice(equals + 1))
  }

  const help = values.help === true
  if (!help && command.maxArguments !== undefined && positionals.length > command.maxArguments) {
    throw new CoopError(
      'E_USAGE',
      `${JSON.stringify(positionals[command.maxArguments])} is one argument too many`,
      { hint: mistakes().hintFor(name) },
    )
  }
  return Object.assign(new Arguments(values, positionals), { help })
}
