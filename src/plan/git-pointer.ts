/**
 * Where a file of git names another folder: `.git` files, `commondir`, `alternates`, links. Boxes write most of these
 * files, so a pointer is only a wish: it is resolved like a link (host-place.ts), and git-folders.ts decides.
 */

import { normalize } from 'node:path'
import { S_IFDIR } from '../../ffi/abi/constants.ts'
import { readInside } from '../../ffi/small-file.ts'
import { textOf } from '../../ffi/text-bytes.ts'
import { pathBytes, placeIdentity, readLinkAt } from '../../ffi/tree.ts'
import { resolvedPath, statOf } from '../host/host-place.ts'
import { climbsFirst, folderLeft } from '../sandbox/real-path.ts'

const MAX_POINTER = 8192 // bytes: a word and one path
const MAX_PATH = 4095

/** A folder: on this machine, without links, and where programs in the box look for it. */
export interface GitPlace {
  readonly path: string
  readonly at: string
}

/** The text of a small regular file below a folder; undefined if there is none, or it leads out of the folder. */
export function gitText(folder: string, name: string, maxBytes = MAX_POINTER): string | undefined {
  try {
    const bytes = readInside(folder, name, maxBytes)
    return bytes && textOf(Buffer.from(bytes))
  } catch {
    return undefined
  }
}

/** The first line of such a file. */
export const gitLine = (folder: string, name: string): string | undefined =>
  gitText(folder, name)?.split('\n')[0]?.trimEnd()

/** The target of a link; undefined if the path is none. */
export function linkOf(path: string): string | undefined {
  try {
    const target = readLinkAt(pathBytes(path))
    return target === undefined ? undefined : textOf(Buffer.from(target, 'latin1'))
  } catch {
    return undefined
  }
}

export const isFolder = (path: string): boolean => statOf(path)?.type === S_IFDIR

/**
 * Resolves a path that git reads in `folder`; undefined if it leads to no folder, or through a link that boxes may have
 * made. `writable`: places that boxes write.
 */
export function followed(text: string, folder: GitPlace, writable: readonly string[]): GitPlace | undefined {
  if (text === '' || text.length > MAX_PATH || text.includes('\0')) return undefined
  const on = (base: string): string => (text.startsWith('/') ? text : `${base}/${text}`)
  try {
    const path = resolvedPath(on(folder.path), writable, 'E_WORKSPACE')
    // Programs in the box follow a link of the workspace there: only the real path is one that they reach.
    const at = climbsFirst(text) ? normalize(on(folder.at)).replace(/(.)\/$/, '$1') : path
    return isFolder(path) ? { path, at } : undefined
  } catch {
    return undefined
  }
}

/** Whether a box may have written the file `pointer` in order to lead git to `path`. */
export const mayBePlanted = (pointer: string, path: string, writable: readonly string[]): boolean =>
  folderLeft(pathBytes(pointer), pathBytes(path), {
    writable: writable.map(pathBytes),
    identity: placeIdentity,
  }) !== undefined

/** Whether a path, as git in `folder` reads it, leads to the workspace. */
export const leadsTo = (
  text: string | undefined,
  folder: string,
  workspace: string,
  writable: readonly string[],
): boolean => text !== undefined && followed(text, { path: folder, at: folder }, writable)?.path === workspace
