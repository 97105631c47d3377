/** Lists folders of this machine for the choice of a workspace. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { FolderListing } from '../protocol/calls/folders.ts'

const MAX_FOLDERS = 1000 // shown
const MAX_LOOKED_AT = 20_000 // names of a folder
const AT_ONCE = 100 // names looked at before terminals get their turn

const rest = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/**
 * `boxOf` names the box of a workspace. In a place where boxes write (`isWritten`) links are left out, as they may lead anywhere, also to
 * a file system that is mounted by being looked at, or never answers. Raises E_WORKSPACE for what is no readable
 * folder.
 */
export async function listFolders(
  path: string,
  home: string,
  boxOf: (path: string) => string | undefined,
  isWritten: (path: string) => boolean,
): Promise<FolderListing> {
  const wanted = path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
  if (!isAbsolute(wanted)) throw noFolder(path, 'it is not an absolute path')
  try {
    const real = realpathSync(wanted)
    const hasLinks = !isWritten(real)
    const names: string[] = []
    let looked = 0
    for await (const entry of await opendir(real)) {
      if (++looked > MAX_LOOKED_AT) break
      if (looked % AT_ONCE === 0) await rest()
      if (entry.isDirectory() || (hasLinks && entry.isSymbolicLink() && isFolder(join(real, entry.name))))
        names.push(entry.name)
    }
    names.sort(byName)
    const entries: FolderListing['entries'][number][] = []
    for (const name of names.slice(0, MAX_FOLDERS)) {
      const folder = join(real, name)
      const box = boxOf(folder)
      const repository = isThere(join(folder, '.git'))
      entries.push({ name, repository, ...(box === undefined ? {} : { box }) })
      if (entries.length % AT_ONCE === 0) await rest()
    }
    const isCut = names.length > MAX_FOLDERS || looked > MAX_LOOKED_AT
    const about = { path: real, home, entries, ...(isCut ? { cut: true as const } : {}) }
    return real === '/' ? about : { ...about, parent: dirname(real) }
  } catch (error) {
    if (error instanceof CoopError) throw error
    const code = errnoOf(error) ?? String(error)
    throw noFolder(path, REASONS[code] ?? code)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is no folder',
  EACCES: 'you may not read it',
  ELOOP: 'its links lead in a circle',
}

const isHidden = (name: string): boolean => name.startsWith('.')

/** A comparer is made once: making one for each pair of 20,000 names takes seconds. */
const inOrder = new Intl.Collator('en', { numeric: true })

function byName(one: string, other: string): number {
  return Number(isHidden(one)) - Number(isHidden(other)) || inOrder.compare(one, other)
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path) !== undefined
  } catch {
    return false
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

const noFolder = (path: string, why: string): CoopError =>
  new CoopError('E_WORKSPACE', `${path} cannot be listed (${why})`, { hint: 'choose another folder' })
