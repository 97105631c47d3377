/**
 * Paths of the host that a user names, with their links resolved. A box writes in its workspace, so a link there
 * may be its work: it must not lead a copy or a mount anywhere else. Paths are bytes (latin1).
 */
import { CoopError, type ErrorCode } from '../core/errors.ts'
import { isWithin } from './sensitive.ts'

const MAX_LINKS = 40 // as the kernel has it (path_resolution(7))

export interface RealPathFacts {
  /** The target of a link; undefined when there is none at that path. */
  readLink(path: string): string | undefined
  /** Folders that a box may write, themselves without links. */
  readonly writable: readonly string[]
  /** Of the errors; E_FAILED when left out. */
  readonly code?: ErrorCode
}

/**
 * The same place by a path without links, to be opened with RESOLVE_NO_SYMLINKS: what is swapped for a link
 * after this is refused by the kernel. `follow`: also when the last part is a link. Raises `code`.
 */
export function realPath(path: string, follow: boolean, facts: RealPathFacts): string {
  const { writable, code = 'E_FAILED' } = facts
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
      // Of each that it lies in: the box of an inner folder has no business in the outer one.
      const folder = writable.find((one) => isWithin(here, one) && !isWithin(leads || '/', one))
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
