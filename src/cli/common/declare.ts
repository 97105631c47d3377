/**
 * What a command is: its arguments, options, examples and completions, declared once with citty's declarations. Reading,
 * help, suggestions, completion, the man pages and docs/commands.md all follow from it.
 */
import { type ArgDef, type CommandDef, type CommandMeta, defineCommand } from 'citty'

/** What a shell may complete a value with. */
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
  /** Takes several values: an option may be given again, a positional takes the rest. */
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

/** The values of arguments, as `run` gets them. */
export type Args<T extends Declared> = { readonly [K in keyof T]: Value<T[K]> }

export const GROUPS = ['Agents and commands', 'Boxes', 'Images and storage', 'Settings', 'System'] as const
export type Group = (typeof GROUPS)[number]

export interface Meta extends CommandMeta {
  /** The line in lists of commands; `description` is the text of its own help. */
  readonly summary: string
  readonly description: string
  readonly examples: readonly string[]
  /** Of a command of the first level. */
  readonly group?: Group
  /** Everything from the first argument that is no option belongs to somebody else. */
  readonly passThrough?: true
  /** Exit codes beside those that every command has. */
  readonly exits?: Readonly<Record<string, string>>
}

export type Load = () => Promise<{ readonly default: Command }>

/** A command whose arguments are not known here, as the reader and the printers see it. */
export interface Command {
  readonly meta: Meta
  readonly args: Declared
  /** Sub-commands, each loaded when it is called. */
  readonly subCommands?: Readonly<Record<string, Load>>
  run?(context: { readonly args: Values }): Promise<number>
}

/** Values of arguments by name, before a declaration gives them types. */
export type Values = Readonly<Record<string, unknown>>

/** A command, declared. */
export function command<const T extends Declared>(definition: {
  readonly meta: Meta
  readonly args: T
  readonly subCommands?: Readonly<Record<string, Load>>
  run?(context: { readonly args: Args<T> }): Promise<number>
}): Command {
  // citty keeps the declaration as it is; the reader is ours (read-args.ts).
  return defineCommand(definition as unknown as CommandDef) as unknown as Command
}

/** The box that a command is about. */
export const BOX_ARGUMENT = {
  type: 'positional',
  complete: 'box',
  description: 'The box: its name or the path of its workspace (default: that of this folder).',
} as const satisfies Arg

/** Of every command whose output programs read. */
export const JSON_OPTION = {
  json: { type: 'boolean', description: 'machine-readable output' },
} as const satisfies Declared

/** What every command has. */
export const HELP = {
  help: { type: 'boolean', alias: 'h', description: 'Show this help.' },
} as const satisfies Declared

/** The name of a value in help texts: `BOX`. */
export function valueName(name: string, { valueHint }: Arg): string {
  return valueHint ?? name.toUpperCase()
}

export const isPositional = ({ type }: Arg): boolean => type === 'positional'

/** Positional arguments in their order, by name. */
export function positionalsOf(args: Declared): readonly (readonly [name: string, arg: Arg])[] {
  return Object.entries(args).filter(([, arg]) => isPositional(arg))
}

/** Options, by long name. */
export function optionsOf(args: Declared): readonly (readonly [name: string, arg: Arg])[] {
  return Object.entries({ ...args, ...HELP }).filter(([, arg]) => !isPositional(arg))
}

/** The letter of an option. */
export function letterOf(arg: Arg): string | undefined {
  const alias = 'alias' in arg ? arg.alias : undefined
  return typeof alias === 'string' ? alias : alias?.[0]
}
