/** Reads small files that a hostile repository may have made. */
import { lstatSync, realpathSync } from 'node:fs'
import { basename, dirname, relative } from 'node:path'
import { isInside, readInside } from '../../ffi/small-file.ts'
import { CoopError } from '../core/errors.ts'

export interface ReadOptions {
  /** Longer files are cut off after one more byte, so that the caller can tell. */
  readonly maxBytes: number
  /** A folder that symbolic links must not lead out of. */
  readonly within?: string | undefined
  /** The file itself must not be a link, wherever it leads. */
  readonly noLink?: boolean
}

/**
 * The bytes of a regular file; undefined if there is none. Never blocks: a fifo, socket, device or folder is E_CONFIG,
 * and so are an unreadable file and a link that leads nowhere or out of `within`. With `within`, where a box may be
 * writing, the kernel resolves the path inside that folder; otherwise links are followed as usual.
 */
export function readSmallFile(
  path: string,
  { maxBytes, within, noLink }: ReadOptions,
): Uint8Array | undefined {
  let folder = dirname(path)
  let name = basename(path)
  try {
    if (within === undefined) {
      const real = realpathSync(path)
      folder = dirname(real)
      name = basename(real)
    } else {
      folder = realpathSync(within)
      name = relative(within, path)
    }
    const bytes = readInside(folder, name, maxBytes + 1)
    if (noLink && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) throw isLink(path)
    if (bytes) return bytes
    throw notRegular(path)
  } catch (error) {
    if (error instanceof CoopError) throw error
    const code = codeOf(error)
    const isGone = code === 'ENOENT' || code === 'ENOTDIR'
    if (isGone && !(within === undefined ? exists(path) : isInside(folder, name))) return undefined
    if (within !== undefined && code === 'EXDEV') throw outside(path, within)
    throw new CoopError('E_CONFIG', `${path} cannot be read: ${code}`, {
      hint:
        code === 'ENOENT' || code === 'ELOOP'
          ? 'remove the symbolic link, which leads nowhere'
          : `ls -l ${path}`,
      cause: error,
    })
  }
}

const outside = (path: string, within: string): CoopError =>
  new CoopError('E_CONFIG', `${path} is a symbolic link that leads outside of ${within}`, {
    hint: 'replace the link with a copy of the file',
  })

const isLink = (path: string): CoopError =>
  new CoopError('E_CONFIG', `${path} is a symbolic link, which a box could redirect`, {
    hint: 'replace the link with a copy of the file',
  })

const notRegular = (path: string): CoopError =>
  new CoopError('E_CONFIG', `${path} is not a regular file`, { hint: `ls -ld ${path}` })

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'unknown error'
}
