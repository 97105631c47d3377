/**
 * Resolves the links in paths of the host that a user names. A box writes in its workspace, so a link there may be its
 * work and must not lead a copy or a mount anywhere else. Paths are bytes (latin1).
 */
import { CoopError, type ErrorCode } from '../core/errors.ts'
import { isWithin } from './sensitive.ts'

const MAX_LINKS = 40 // the kernel's limit (path_resolution(7))

export interface RealPathFacts {
  /** The target of a link; undefined if the path is not a link. */
  readLink(path: string): string | undefined
  /** Places that boxes may write: paths without links, and identities of folders that may have been moved since. */
  readonly writable: readonly string[]
  /** Returns the identity of a folder, as `writable` has it. */
  identity?(path: string): string | undefined
  /** The code of the errors; default E_FAILED. */
  readonly code?: ErrorCode
}

/** Whether `..` comes first in a path only: behind a name, which may be a link, it leads elsewhere than the text says. */
export function climbsFirst(text: string): boolean {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  const [first = 0, last] = [parts.findIndex((part) => part !== '..'), parts.lastIndexOf('..')]
  return last < 0 || (!text.startsWith('/') && (first < 0 || last < first))
}

/** Returns the folder where boxes write that the link `here` leads out of; undefined when there is none. */
export function folderLeft(
  here: string,
  leads: string,
  { writable, identity }: Pick<RealPathFacts, 'writable' | 'identity'>,
): string | undefined {
  const known = writable.find((one) => isWithin(here, one) && !isWithin(leads, one))
  if (known !== undefined || !identity) return known
  for (let at = here.lastIndexOf('/'); at > 0; at = here.lastIndexOf('/', at - 1)) {
    const folder = here.slice(0, at)
    const id = isWithin(leads, folder) ? undefined : identity(folder)
    if (id !== undefined && writable.includes(id)) return folder
  }
  return undefined
}

/**
 * The same place by a path without links, for opening with RESOLVE_NO_SYMLINKS: the kernel then refuses links swapped
 * in later. `follow` also resolves a link in the last part. Raises `code`.
 */
export function realPath(path: string, follow: boolean, facts: RealPathFacts): string {
  const { code = 'E_FAILED' } = facts
  let links = 0

  const resolve = (from: string, rest: string, last: boolean): string => {
    let real = rest.startsWith('/') ? '' : from
    const parts = rest.split('/').filter((part) => part !== '' && part !== '.')
    for (const [index, part] of parts.entries()) {
      if (part === '..') {
        real = real.slice(0, Math.max(0, real.lastIndexOf('/')))
        continue
      }
      const here = `${real}/${part}`
      const target = index < parts.length - 1 || last ? facts.readLink(here) : undefined
      if (target === undefined) {
        real = here
        continue
      }
      if (++links > MAX_LINKS)
        throw new CoopError(code, `${path} leads through too many links`, {
          hint: 'name the file itself',
        })
      const leads = resolve(real, target, true)
      // Check each folder that the link lies in: the box of an inner folder must not lead into the outer one.
      const folder = folderLeft(here, leads || '/', facts)
      if (folder !== undefined) {
        throw new CoopError(code, `${here} is a link that leads out of ${folder}, where boxes write`, {
          hint: `if you want that, name the place itself: ${leads || '/'}`,
        })
      }
      real = leads
    }
    return real
  }

  return resolve('', path, follow || /\/\.?$/.test(path)) || '/'
}
