/** Errors for command lines that make no sense, with suggestions. */
import { statSync } from 'node:fs'
import { isAgentName } from '../../agents/adapters.ts'
import { CoopError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { type Command, type Declared, optionsOf } from './declare.ts'

export function hintFor(name: string): string {
  return name ? `coop ${name} --help` : 'coop --help'
}

const MOUNTS = 'mount with -m SRC:DST when the box is made (coop, coop run, coop create); -v is --verbose'
const PORTS = 'leave it out: with the network "host", ports of the box are ports of this machine'
const INPUT = 'leave it out: the input is always passed on; -t alone asks for a terminal'
const REMOVED = 'leave it out: the box of coop run is always removed when its command ends'

/** Options of docker and podman that people type out of habit. */
const HABITS: Readonly<Record<string, string | undefined>> = {
  '-i': INPUT,
  '--interactive': INPUT,
  '--rm': REMOVED,
  '-p': PORTS,
  '--publish': PORTS,
  '-v': MOUNTS,
  '--volume': MOUNTS,
  '-m': MOUNTS,
  '--mount': MOUNTS,
}

/** The hint for an argument too many: `-v` is --verbose, so that docker's `-v SRC:DST` leaves a pair of paths. */
export const hintForWord = (word: string, name: string): string =>
  /^[./~\w][^:]*:\//.test(word) ? MOUNTS : ((name ? undefined : hintForStart(word)) ?? hintFor(name))

/** The hint for an agent or a folder that is given to `coop` without its option; undefined for other words. */
function hintForStart(word: string): string | undefined {
  if (isAgentName(word)) return `start it: coop --agent ${word}; or run it once: coop run ${word}`
  if (!/^[\w./@+-]+$/.test(word) || !statSync(word, { throwIfNoEntry: false })?.isDirectory())
    return undefined
  return `a folder is named with -w: coop -w ${word}`
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
  const habit = HABITS[letter === undefined ? word : `-${letter}`]
  return new CoopError('E_USAGE', `there is no ${what}`, {
    hint: habit ?? (meant ? `did you mean ${meant}?` : hintFor(name)),
  })
}

/** Names of the same commands in other programs. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  list: 'ls',
  ps: 'ls',
  rm: 'kill',
  remove: 'kill',
  delete: 'kill',
  destroy: 'kill',
  down: 'kill',
  up: '-d',
  new: 'create',
  enter: 'attach',
  join: 'attach',
  connect: 'attach',
  sh: 'shell',
  bash: 'shell',
  ssh: 'shell',
  info: 'status',
  inspect: 'status',
  images: 'image ls',
  rmi: 'image rm',
  pull: 'image pull',
  df: 'system df',
  prune: 'system prune',
}

/** The same of commands below others: `coop image list`. */
const ELSEWHERE_BELOW: Readonly<Record<string, string>> = { list: 'ls', remove: 'rm', delete: 'rm' }

function calledElsewhere(word: string, known: readonly string[], prefix: string): string | undefined {
  const names = prefix ? ELSEWHERE_BELOW : ELSEWHERE
  const meant = Object.hasOwn(names, word) ? names[word] : undefined
  return prefix && meant !== undefined && !known.includes(meant) ? undefined : meant
}

export function unknownCommand(word: string, known: readonly string[], prefix: string): CoopError {
  const start = prefix ? undefined : hintForStart(word)
  const meant = calledElsewhere(word, known, prefix) ?? nearest(word, known)
  return new CoopError('E_USAGE', `there is no command ${JSON.stringify(`coop ${prefix}${word}`)}`, {
    hint: start ?? (meant ? `did you mean coop ${prefix}${meant}?` : `coop ${prefix}--help`),
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
