/** Errors for command lines that make no sense, with suggestions. */
import { CoopError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { type Command, type Declared, optionsOf } from './declare.ts'

export function hintFor(name: string): string {
  return name ? `coop ${name} --help` : 'coop --help'
}

/**
 * Returns the error for an unknown option. `letter` is the unknown letter in `word`; only long names get suggestions.
 */
export function unknownOption(word: string, name: string, args: Declared, letter?: string): CoopError {
  const what =
    letter === undefined || word === `-${letter}` ? `option ${word}` : `option -${letter}, as in ${word}`
  const meant = nearest(
    word,
    optionsOf(args).map(([long]) => `--${long}`),
  )
  return new CoopError('E_USAGE', `there is no ${what}`, {
    hint: meant ? `did you mean ${meant}?` : hintFor(name),
  })
}

/** Names of the same commands in other programs. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  list: 'ls',
  ps: 'ls',
  rm: 'kill',
  remove: 'kill',
  delete: 'kill',
  version: '--version',
  enter: 'attach',
  sh: 'shell',
  images: 'image ls',
  pull: 'image pull',
}

/** The same of commands below others: `coop image list`. */
const ELSEWHERE_BELOW: Readonly<Record<string, string>> = { list: 'ls', remove: 'rm', delete: 'rm' }

function calledElsewhere(word: string, known: readonly string[], prefix: string): string | undefined {
  const names = prefix ? ELSEWHERE_BELOW : ELSEWHERE
  const meant = Object.hasOwn(names, word) ? names[word] : undefined
  return prefix && meant !== undefined && !known.includes(meant) ? undefined : meant
}

export function unknownCommand(word: string, known: readonly string[], prefix: string): CoopError {
  const meant = calledElsewhere(word, known, prefix) ?? nearest(word, known)
  return new CoopError('E_USAGE', `there is no command ${JSON.stringify(`coop ${prefix}${word}`)}`, {
    hint: meant ? `did you mean coop ${prefix}${meant}?` : `coop ${prefix}--help`,
  })
}

/** Adds a suggestion when no box has the given name: `coop shell lst` may have meant `coop shell ls`. */
export function withNearestBelow(error: unknown, name: string, command: Command, word = ''): unknown {
  const below = Object.keys(command.subCommands ?? {})
  const meant = below.length ? (calledElsewhere(word, below, `${name} `) ?? nearest(word, below)) : undefined
  if (!meant || !(error instanceof CoopError)) return error
  if (error.code !== 'E_NO_BOX' && error.code !== 'E_USAGE') return error
  return new CoopError(error.code, error.message, { hint: `did you mean coop ${name} ${meant}?` })
}
