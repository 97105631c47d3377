/**
 * Stores a file that a browser sends in the /tmp of a box, which the box can change at any time: its init opens that
 * folder without following a link, and makes a file under a new name. So only its own file is ever written.
 */
import { writeAt } from '../../ffi/files.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError } from '../core/errors.ts'
import type { BoxFiles } from './box-files.ts'

export const MAX_UPLOAD = 20 << 20 // bytes; a picture of a screen has a few MiB
const FOLDER = 'tmp'
const PIECE = 1 << 20 // bytes written before others get their turn
const MAX_NAME = 48 // characters of the browser's name
const TRIES = 3 // names; a box cannot guess them

/** Returns the file's path in the box. Raises E_USAGE for too much, E_FAILED when it cannot be stored. */
export async function storeUpload(files: BoxFiles, name: string, bytes: Uint8Array): Promise<string> {
  if (bytes.length > MAX_UPLOAD)
    throw new CoopError('E_USAGE', `the file is larger than ${MAX_UPLOAD >> 20} MiB`, {
      hint: 'copy it into the box: coop cp FILE BOX:/tmp',
    })
  for (let tries = TRIES; ; tries--) {
    const stored = newName(name)
    const made = await files.make(FOLDER, stored)
    if (made.fd === undefined) {
      if (made.error === 'EEXIST' && tries > 1) continue
      throw notStored(made.error)
    }
    try {
      await write(made.fd, bytes)
    } catch (error) {
      await files.remove([{ folder: { top: `/${FOLDER}`, below: '' }, temporary: stored, name: stored }])
      if (error instanceof SysError) throw notStored(error.code, error)
      throw error
    } finally {
      closeDescriptor(made.fd)
    }
    return `/${FOLDER}/${stored}`
  }
}

async function write(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE) {
    writeAt(fd, bytes.subarray(at, at + PIECE), at)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * A name that nobody has prepared, and that can be typed at any prompt as it is: letters, digits, `.`, `_` and `-`, with
 * the ending of the browser's name.
 */
export function newName(name: string): string {
  const clean = name
    .replace(/^.*[/\\]/s, '')
    .replace(/[^A-Za-z0-9._]+/g, '-')
    .replace(/\.{2,}/g, '.')
  const ending = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? ''
  const base = clean
    .slice(0, clean.length - ending.length)
    .slice(0, MAX_NAME)
    .replace(/^[-.]+|[-.]+$/g, '')
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString('hex')
  return `${base || 'file'}-${random}${ending.toLowerCase()}`
}

function notStored(error: string, cause?: unknown): CoopError {
  const why: Readonly<Record<string, string>> = {
    ELOOP: '/tmp of the box is a link',
    ENOTDIR: '/tmp of the box is no folder',
    ENOENT: 'the box has no /tmp',
    ENOSPC: 'there is no space left in the box',
    EDQUOT: 'there is no space left in the box',
  }
  return new CoopError('E_FAILED', `the file was not stored: ${why[error] ?? error}`, { cause })
}
