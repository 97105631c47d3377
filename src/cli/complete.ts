/**
 * Candidates for a shell that completes a command line: `coop __complete WORD…`, the last word being the one at the cursor.
 * One candidate in a line, a tab, a text; `:files` and `:folders` ask the shell to complete paths itself, too. A candidate
 * takes the place of the whole word, also of `--name=value`.
 */
import { askRunning } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import { ERROR_DOCS } from '../core/error-docs.ts'
import type { BoxInfo } from '../protocol/calls/boxes.ts'
import {
  type Arg,
  type Command,
  type Completion,
  letterOf,
  optionsOf,
  positionalsOf,
} from './common/declare.ts'
import { print } from './common/output.ts'
import { grouped, subCommandsOf } from './help.ts'
import { defaultCommand } from './table.ts'

export interface Candidates {
  readonly words: readonly (readonly [word: string, text: string])[]
  /** Paths of this machine are candidates, too. */
  readonly paths?: 'files' | 'folders'
}

/** Returns the existing names of a kind. */
export type Names = (wanted: Completion) => Promise<Candidates>

const none: Candidates = { words: [] }

/** Returns the candidates for the last of the words that follow `coop`. */
export async function candidates(words: readonly string[], names: Names): Promise<Candidates> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const commands = new Map([...(await grouped()).values()].flat())
  const first = before[0]
  const isOption = current.startsWith('-')
  if (first === undefined && !isOption) return { words: list([...commands]) }
  if (first === 'help' && before.length === 1)
    return {
      words: [...list([...commands]), ...Object.keys(ERROR_DOCS).map((code) => [code, 'an error'] as const)],
    }
  let command: Command | undefined = (await defaultCommand()).default
  let rest = before
  if (first !== undefined && !first.startsWith('-')) {
    command = commands.get(first)
    rest = before.slice(1)
    const below = command ? await subCommandsOf(command) : []
    const sub = below.find(([name]) => name === rest[0])
    if (sub) [command, rest] = [sub[1], rest.slice(1)]
    else if (below.length && !rest.length && !isOption) {
      const own = command?.run ? await values(positional(command, rest), names) : none
      return { ...own, words: [...list(below), ...own.words] }
    }
  }
  if (!command) return none
  const option = optionBefore(command, rest)
  if (option) return values(option, names)
  if (isForeign(command, rest)) return { words: [], paths: 'files' }
  if (isOption && !rest.includes('--')) return optionsOrValues(command, current, names)
  const arg = positional(command, rest)
  const found = await values(arg, names)
  // Paths of this machine are none of a box's.
  return arg?.complete === 'place' && /^[^/:]*:/.test(current) ? { words: found.words } : found
}

const list = (commands: readonly (readonly [string, Command])[]): (readonly [string, string])[] =>
  commands.map(([name, { meta }]) => [name, meta.summary] as const)

/** Options; after `--name=` the values of one, with the option before each. */
async function optionsOrValues({ args }: Command, current: string, names: Names): Promise<Candidates> {
  const [, name] = /^--([^=]+)=/.exec(current) ?? []
  if (name === undefined)
    return { words: optionsOf(args).map(([name, arg]) => [`--${name}`, arg.description ?? ''] as const) }
  const found = optionsOf(args).find(([long, { type }]) => long === name && type !== 'boolean')?.[1]
  const { words, ...paths } = await values(found, names)
  return { ...paths, words: words.map(([word, text]) => [`--${name}=${word}`, text] as const) }
}

/** Returns whether the words belong to the command that `run` or `exec` runs. */
function isForeign({ meta, args }: Command, rest: readonly string[]): boolean {
  return meta.passThrough === true && wordsOf(args, rest).length > 0
}

/** Returns the option whose value comes next. */
function optionBefore({ args }: Command, rest: readonly string[]): Arg | undefined {
  const last = rest.at(-1) ?? ''
  const found = optionsOf(args).find(
    ([name, arg]) => last === `--${name}` || last === `-${letterOf(arg)}`,
  )?.[1]
  return found?.type === 'boolean' ? undefined : found
}

/** Returns the words that are neither options nor values of options. */
function wordsOf(args: Command['args'], rest: readonly string[]): readonly string[] {
  return rest.filter(
    (word, at) => !word.startsWith('-') && !optionBefore({ args } as Command, rest.slice(0, at)),
  )
}

function positional({ args }: Command, rest: readonly string[]): Arg | undefined {
  const positionals = positionalsOf(args).map(([, arg]) => arg)
  const at = wordsOf(args, rest).length
  return positionals[at] ?? (positionals.at(-1)?.many ? positionals.at(-1) : undefined)
}

async function values(arg: Arg | undefined, names: Names): Promise<Candidates> {
  if (!arg) return none
  if ('options' in arg && arg.options) return words(arg.options)
  return arg.complete ? names(arg.complete) : none
}

const words = (all: readonly string[]): Candidates => ({
  words: [...new Set(all)].map((word) => [word, ''] as const),
})

/** Returns the boxes of the running daemon; a completion never starts one. */
const boxes = (): readonly BoxInfo[] => askRunning(userPaths(), 'box.list', {})?.value ?? []

async function existingNames(wanted: Completion): Promise<Candidates> {
  switch (wanted) {
    case 'box':
      return { words: boxes().map(({ name, workspace }) => [name, workspace] as const) }
    case 'place':
      return {
        words: boxes().map(({ name, workspace }) => [`${name}:`, `the box of ${workspace}`] as const),
        paths: 'files',
      }
    case 'shell':
      return {
        words: boxes().flatMap(({ name, ptys }) =>
          ptys
            .filter(({ id }) => id > 0)
            .map(({ id, command }) => [`${name}:${id}`, command.join(' ')] as const),
        ),
      }
    case 'image': {
      const { listRecords } = await import('../store/images.ts')
      const { shortReference } = await import('../image/reference.ts')
      return words(listRecords(userPaths()).map(({ reference }) => shortReference(reference)))
    }
    case 'snapshot': {
      const { findSnapshots } = await import('../store/snapshots.ts')
      return { words: findSnapshots(userPaths()).map(({ name, box }) => [name, `of ${box}`] as const) }
    }
    case 'volume': {
      const { listVolumes } = await import('../worker/disk-use.ts')
      return words(listVolumes(userPaths()).map(({ name }) => name))
    }
    case 'agent': {
      const { ADAPTERS } = await import('../agents/adapters.ts')
      return words(Object.keys(ADAPTERS))
    }
    case 'network':
      return words(['host', 'none'])
    case 'folder':
      return { words: [], paths: 'folders' }
    case 'command':
    case 'file':
      return { words: [], paths: 'files' }
  }
}

export async function printCompletions(argv: readonly string[]): Promise<number> {
  const found = await candidates(argv, existingNames)
  const current = argv.at(-1) ?? ''
  for (const [word, text] of found.words)
    if (word.startsWith(current)) print(`${word}\t${text.replace(/[\x00-\x1f\x7f]/g, ' ')}\n`)
  if (found.paths) print(`:${found.paths}\n`)
  return 0
}
