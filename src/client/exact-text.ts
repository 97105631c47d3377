/**
 * Recovers the exact bytes of arguments and of the current folder's name. Bun replaces bytes that are not UTF-8 with
 * U+FFFD; the kernel still has them (ffi/text-bytes.ts explains how text holds them). node:fs is loaded only when
 * needed.
 */
import { textOf } from '../../ffi/text-bytes.ts'
import { CoopError } from '../core/errors.ts'

const REPLACED = '\ufffd'

const fs = () => require('node:fs') as typeof import('node:fs')

/** Returns the words after the program's name, exactly as given. Raises E_USAGE when they cannot be recovered. */
export function exactWords(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes(REPLACED))) return words
  // proc_pid_cmdline(5): each word ends with a NUL; the first is the program's name.
  const bytes = fs().readFileSync('/proc/self/cmdline').toString('latin1')
  const [, ...given] = bytes.split('\0').slice(0, -1)
  if (given.length === words.length) return given.map((word) => textOf(Buffer.from(word, 'latin1')))
  throw new CoopError('E_USAGE', 'the arguments are not UTF-8', { hint: 'unset BUN_OPTIONS' })
}

/** Returns the current folder; undefined when it is gone. */
export function folderIfThere(): string | undefined {
  try {
    return currentFolder()
  } catch {
    return undefined
  }
}

/** Returns the current folder. Raises E_WORKSPACE with `hint` when it is gone. */
export function currentFolder(hint = 'cd into a folder that exists'): string {
  let path: string
  try {
    path = process.cwd()
  } catch {
    throw new CoopError('E_WORKSPACE', 'the current folder no longer exists', { hint })
  }
  return path.includes(REPLACED) ? textOf(fs().readlinkSync('/proc/self/cwd', { encoding: 'buffer' })) : path
}

/** Checks a folder's name for plans and manifests, which are text. Raises E_WORKSPACE. */
export function asText(folder: string): string {
  if (folder.isWellFormed()) return folder
  throw new CoopError('E_WORKSPACE', `the name of the folder ${folder} is not UTF-8`, {
    hint: 'rename it: mv OLD NEW',
  })
}
