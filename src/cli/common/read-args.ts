/**
 * Reads the arguments of a command (POSIX utility syntax with GNU long options). Other readers do not fit: citty's
 * keeps only the last of repeated options and accepts unknown ones, and node:util's costs a quarter of the start of
 * `coop run`.
 */
import { CoopError } from '../../core/errors.ts'
import {
  type Arg,
  type Command,
  type Declared,
  HELP,
  isPositional,
  letterOf,
  positionalsOf,
  type Values,
  valueName,
} from './declare.ts'

// Loaded only for a mistake.
const mistakes = (): typeof import('./mistakes.ts') => require('./mistakes.ts')

export interface ReadArgs {
  readonly args: Values
  /** Whether `--` came before the positional arguments. */
  readonly separated: boolean
  /** The user wants help; nothing else was checked. */
  readonly help: boolean
}

/** Reads a command's arguments; `name` is what follows `coop`. Raises E_USAGE with the nearest real option. */
export function readArgs(name: string, command: Command, argv: readonly string[]): ReadArgs {
  const options: Declared = { ...command.args, ...HELP }
  const values: Record<string, unknown> = {}
  const words: string[] = []
  let at = 0
  let separated = false

  const optionOf = (long: string): Arg | undefined => {
    const arg = Object.hasOwn(options, long) ? options[long] : undefined
    return arg && !isPositional(arg) ? arg : undefined
  }
  const set = (long: string, arg: Arg, value: string | boolean): void => {
    const before = values[long]
    values[long] = arg.many ? [...(Array.isArray(before) ? before : []), value] : value
  }
  const take = (word: string, long: string, arg: Arg, inline: string | undefined): void => {
    if (arg.type === 'boolean') {
      if (inline !== undefined)
        throw new CoopError('E_USAGE', `${word} takes no value`, { hint: mistakes().hintFor(name) })
      set(long, arg, true)
      return
    }
    const value = inline ?? argv[at++]
    if (value === undefined)
      throw new CoopError('E_USAGE', `${word} needs a value`, { hint: `${word} ${valueName(long, arg)}` })
    set(long, arg, value)
  }
  const shorts = (word: string): void => {
    for (const [i, letter] of [...word].entries()) {
      if (i === 0) continue
      const found = Object.entries(options).find(([, arg]) => letterOf(arg) === letter)
      if (!found) throw mistakes().unknownOption(word, name, options, letter)
      const [long, arg] = found
      const rest = word.slice(i + 1)
      const takesValue = arg.type !== 'boolean'
      take(`-${letter}`, long, arg, takesValue && rest ? rest : undefined)
      if (takesValue) return
    }
  }

  while (at < argv.length) {
    const word = argv[at++] ?? ''
    if (word === '--') {
      separated = words.length === 0
      words.push(...argv.slice(at))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word)
      if (!command.meta.passThrough) continue
      words.push(...argv.slice(at))
      break
    }
    if (!word.startsWith('--')) {
      shorts(word)
      continue
    }
    const equals = word.indexOf('=')
    const long = word.slice(2, equals < 0 ? undefined : equals)
    const arg = optionOf(long)
    if (!arg) throw mistakes().unknownOption(`--${long}`, name, options)
    take(`--${long}`, long, arg, equals < 0 ? undefined : word.slice(equals + 1))
  }

  const help = values.help === true
  if (!help) assign(name, command, words, values)
  return { args: complete(command.args, values), separated, help }
}

/** Assigns words to positionals, required ones first: for `[BOX] NAME`, a single word is NAME. Raises E_USAGE. */
function assign(
  name: string,
  { args, meta }: Command,
  words: readonly string[],
  values: Record<string, unknown>,
): void {
  const positionals = positionalsOf(args)
  const required = positionals.filter(([, { required }]) => required).length
  let spare = words.length - required
  let at = 0
  for (const [key, arg] of positionals) {
    const fixed = arg.required ? 1 : 0
    const more = arg.many ? Math.max(0, spare) : !fixed && spare > 0 ? 1 : 0
    spare -= more
    const taken = words.slice(at, at + fixed + more)
    at += taken.length
    if (arg.required && !taken.length) {
      const missing = positionals.slice(positionals.findIndex(([other]) => other === key))
      const names = missing.flatMap(([other, one]) => (one.required ? valueName(other, one) : []))
      throw new CoopError('E_USAGE', `coop ${name} needs ${names.join(' and ')}`, {
        hint: meta.examples[0] ?? mistakes().hintFor(name),
      })
    }
    values[key] = arg.many ? taken : taken[0]
  }
  if (at < words.length)
    throw new CoopError('E_USAGE', `unexpected argument ${JSON.stringify(words[at])}`, {
      hint: mistakes().hintForWord(words[at] ?? '', name),
    })
}

/** Gives every declared argument a value of its type. */
function complete(args: Declared, values: Values): Values {
  const all: Record<string, unknown> = {}
  for (const [name, arg] of Object.entries(args)) {
    const value = values[name]
    if (arg.type === 'boolean') all[name] = value === true
    else if (arg.many) all[name] = Array.isArray(value) ? value.map(String) : []
    else if (arg.range) all[name] = number(name, arg.range, value)
    else all[name] = typeof value === 'string' ? value : undefined
  }
  return all
}

function number(name: string, [min, max]: readonly [number, number], value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= min && number <= max) return number
  throw new CoopError(
    'E_USAGE',
    `--${name} takes a number from ${min} to ${max}, not ${JSON.stringify(value)}`,
    { hint: `--${name} ${Math.max(min, Math.min(max, 100))}` },
  )
}
