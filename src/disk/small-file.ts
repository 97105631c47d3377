/** Reading small files that a hostile repository may have made. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs'
import { sep } from 'node:path'
import { CoopError } from '../core/errors.ts'

export interface ReadOptions {
  /** More than this is cut off: one byte more is returned, so that the caller can tell. */
  readonly maxBytes: number
  /** A folder that a symbolic link must not lead out of. */
  readonly within?: string | undefined
  /** The file itself must not be a link, wherever that leads. */
  readonly noLink?: boolean
}

/**
 * The bytes of a regular file; undefined when there is none. Never blocks: a fifo, socket, device or folder
 * is E_CONFIG, and so are an unreadable file and a link that leads outside of `within` or nowhere.
 */
export function readSmallFile(path: string, options: ReadOptions): Uint8Array | undefined {
  try {
    const link = lstatSync(path).isSymbolicLink()
    const real = link || options.within !== undefined ? realpathSync(path) : path
    // Any part of the path may be a link, not only the last.
    if (options.within !== undefined && !isInside(real, realpathSync(options.within)))
      throw outside(path, options.within)
    if (link && options.noLink) throw isLink(path)
    return readRegular(path, real, options)
  } catch (error) {
    if (error instanceof CoopError) throw error
    const code = codeOf(error)
    if ((code === 'ENOENT' || code === 'ENOTDIR') && !exists(path)) return undefined
    throw new CoopError('E_CONFIG', `${path} cannot be read: ${code}.`, {
      hint:
        code === 'ENOENT' || code === 'ELOOP' ? 'It is a symbolic link that leads nowhere.' : `ls -l ${path}`,
      cause: error,
    })
  }
}

function readRegular(path: string, real: string, { maxBytes, within }: ReadOptions): Uint8Array {
  // Checked before, because opening a device may do something, and after, because it may have been replaced;
  // O_NONBLOCK, because opening a fifo waits for a writer.
  if (!lstatSync(real).isFile()) throw notRegular(path)
  const fd = openSync(
    real,
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY,
  )
  try {
    if (!fstatSync(fd).isFile()) throw notRegular(path)
    // What was opened, whoever moved folders meanwhile.
    if (within !== undefined && !isInside(readlinkSync(`/proc/self/fd/${fd}`), realpathSync(within)))
      throw outside(path, within)
    const buffer = new Uint8Array(maxBytes + 1)
    let length = 0
    while (length < buffer.length) {
      const count = readSync(fd, buffer, length, buffer.length - length, null)
      if (count === 0) break
      length += count
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}

const outside = (path: string, within: string): CoopError =>
  new CoopError('E_CONFIG', `${path} is a symbolic link that leads outside of ${within}.`, {
    hint: 'Replace the link by a copy of the file.',
  })

const isLink = (path: string): CoopError =>
  new CoopError('E_CONFIG', `${path} is a symbolic link, which a box could make lead elsewhere.`, {
    hint: 'Replace the link by a copy of the file.',
  })

const notRegular = (path: string): CoopError =>
  new CoopError('E_CONFIG', `${path} is not a regular file.`, { hint: `ls -ld ${path}` })

const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

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
