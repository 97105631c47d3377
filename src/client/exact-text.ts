/**
 * What the user gave, to the byte. Bun puts U+FFFD for what is not UTF-8, in arguments and in the name of the current
 * folder; the kernel still has the bytes (ffi/text-bytes.ts says how text holds them). node:fs loads only then.
 */
import { textOf } from '../../ffi/text-bytes.ts'
import { CoopError } from '../core/errors.ts'

const REPLACED = '\ufffd'

const fs = () => require('node:fs') as typeof import('node:fs')

/** The words after the program's own name. Raises E_USAGE rather than pass on other ones than were given. */
export function exactWords(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes(REPLACED))) return words
  // proc_pid_cmdline(5): each word with a NUL after it, the program's name first.
  const bytes = fs().readFileSync('/proc/self/cmdline').toString('latin1')
  const [, ...given] = bytes.split('\0').slice(0, -1)
  if (given.length === words.length) return given.map((word) => textOf(Buffer.from(word, 'latin1')))
  throw new CoopError('E_USAGE', 'the arguments are not UTF-8', { hint: 'unset BUN_OPTIONS' })
}

/** Raises E_WORKSPACE when it is gone. */
export function currentFolder(): string {
  let path: string
  try {
    path = process.cwd()
  } catch {
    throw new CoopError('E_WORKSPACE', 'the current folder no longer exists', { hint: 'cd to one that does' })
  }
  return path.includes(REPLACED) ? textOf(fs().readlinkSync('/proc/self/cwd', { encoding: 'buffer' })) : path
}

/** A folder that is to be named in plans and manifests, which are text. Raises E_WORKSPACE. */
export function asText(folder: string): string {
  if (folder.isWellFormed()) return folder
  throw new CoopError('E_WORKSPACE', `the name of the folder ${folder} is not UTF-8`, {
    hint: 'rename it: mv OLD NEW',
  })
}
