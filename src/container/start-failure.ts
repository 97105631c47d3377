/** Messages for a program that was not started: the named command or folder is missing or unusable. */
import { errnoWords } from '../../ffi/abi/errno.ts'
import { BatchError } from '../../ffi/batch.ts'

export interface StartFailure {
  readonly sentence: string
  readonly what: 'program' | 'folder'
  /** The name does not exist, rather than being unusable. */
  readonly missing: boolean
}

const MISSING = new Set(['ENOENT', 'ENOTDIR'])

/** Undefined for errors that have nothing to do with the command or its folder. */
export function startFailure(error: unknown): StartFailure | undefined {
  if (!(error instanceof BatchError)) return undefined
  const { syscall, code, what: name = '' } = error
  const missing = MISSING.has(code)
  if (syscall === 'execve') {
    const sentence = missing ? `${name}: there is no such command in the box` : `${name}: ${errnoWords(code)}`
    return { sentence, what: 'program', missing }
  }
  if (syscall !== 'chdir') return undefined
  const sentence = missing
    ? `there is no folder ${name} in the box`
    : `the folder ${name} of the box: ${errnoWords(code)}`
  return { sentence, what: 'folder', missing }
}
