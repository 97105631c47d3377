/**
 * Declares commands: arguments, options, examples and completions, once, in citty's form. The reader, help,
 * suggestions, completion, man pages and docs/commands.md all use these declarations.
 */
import { type ArgDef, type CommandDef, type CommandMeta, defineCommand } from 'citty'

/** The kinds of values that a shell can complete. */
export type Completion =
  | 'agent'
  | 'box'
  | 'command'
  | 'file'
  | 'folder'
  | 'image'
  | 'network'
  | 'place' // of coop cp: a path here, or BOX:/path
  | 'shell'
  | 'snapshot'
  | 'volume'

/** An option or a positional argument. */
export type Arg = ArgDef & {
  /** Takes several values: an option may be repeated, a positional takes the rest. */
  readonly many?: true
  /** A whole number within these bounds. */
  readonly range?: readonly [min: number, max: number]
  readonly complete?: Completion
}

export type Declared = Readonly<Record<string, Arg>>

type Value<A extends Arg> = A extends { readonly many: true }
  ? readonly string[]
  : A extends { readonly type: 'boolean' }
    ? boolean
    : A extends { readonly range: readonly [number, number] }
      ? number | undefined
      : A extends { readonly required: true }
        ? string
        : string | undefined

/** The values of arguments, in the form that `run` gets. */
export type Args<T extends Declared> = { readonly [K in keyof T]: Value<T[K]> }

export const GROUPS = ['Agents and commands', 'Boxes', 'Images and storage', 'Settings', 'System'] as const
export type Group = (typeof GROUPS)[number]

export interface Meta extends CommandMeta {
  /** The line in lists of commands; `description` begins the command's own help. */
  readonly summary: string
  readonly description: string
  readonly examples: readonly string[]
  /** The group of a first-level command. */
  readonly group?: Group
  /** Passes everything from the first word that is not an option on to another program. */
  readonly passThrough?: true
  /** Exit codes in addition to those of every command. */
  readonly exits?: Readonly<Record<string, string>>
}

export type Load = () => Promise<{ readonly default: Command }>

/** A command with untyped arguments, for the reader and the printers. */
export interface Command {
  readonly meta: Meta
  readonly args: Declared
  /** Sub-commands; each is loaded when it is called. */
  readonly subCommands?: Readonly<Record<string, Load>>
  run?(context: { readonly args: Values; readonly separated: boolean }): Promise<number>
}

/** Values of arguments by name, before a declaration gives them types. */
export type Values = Readonly<Record<string, unknown>>

/** Declares a command. */
export function command<const T extends Declared>(definition: {
  readonly meta: Meta
  readonly args: T
  readonly subCommands?: Readonly<Record<string, Load>>
  run?(context: { readonly args: Args<T>; readonly separated: boolean }): Promise<number>
}): Command {
  // citty keeps the declaration unchanged; coop reads arguments itself (read-args.ts).
  return defineCommand(definition as unknown as CommandDef) as unknown as Command
}

/** The box that a command acts on. */
export const BOX_ARGUMENT = {
  type: 'positional',
  complete: 'box',
  description: 'The box: its name or the path of its workspace (default: that of this folder).',
} as const satisfies Arg

/** Of every command whose output programs read. */
export const JSON_OPTION = {
  json: { type: 'boolean', description: 'machine-readable output' },
} as const satisfies Declared

/** The option of every command. */
export const HELP = {
  help: { type: 'boolean', alias: 'h', description: 'Show this help.' },
} as const satisfies Declared

/** Returns the name of a value in help texts: `BOX`. */
export function valueName(name: string, { valueHint }: Arg): string {
  return valueHint ?? name.toUpperCase()
}

export const isPositional = ({ type }: Arg): boolean => type === 'positional'

/** Returns the positional arguments in order, by name. */
export function positionalsOf(args: Declared): readonly (readonly [name: string, arg: Arg])[] {
  return Object.entries(args).filter(([, arg]) => isPositional(arg))
}

/** Returns the options, by long name. */
export function optionsOf(args: Declared): readonly (readonly [name: string, arg: Arg])[] {
  return Object.entries({ ...args, ...HELP }).filter(([, arg]) => !isPositional(arg))
}

/** Returns the letter of an option. */
export function letterOf(arg: Arg): string | undefined {
  const alias = 'alias' in arg ? arg.alias : undefined
  return typeof alias === 'string' ? alias : alias?.[0]
}
