/**
 * Paths of the host that a user names, with their links resolved. A box writes in its workspace, so a link there
 * may be its work: it must not lead the copy anywhere else. Paths are bytes (latin1).
 */
import { CoopError } from '../../core/errors.ts'
import { isWithin } from '../../sandbox/sensitive.ts'

const MAX_LINKS = 40 // as the kernel has it (path_resolution(7))

export interface RealPathFacts {
  /** The target of a link; undefined when there is none at that path. */
  readLink(path: string): string | undefined
  /** Folders that a box may write, themselves without links. */
  readonly writable: readonly string[]
}

/**
 * The same place by a path without links, to be opened with RESOLVE_NO_SYMLINKS: what is swapped for a link
 * after this is refused by the kernel. `follow`: also when the last part is a link. Raises E_FAILED.
 */
export function realPath(path: string, follow: boolean, facts: RealPathFacts): string {
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
        throw new CoopError('E_FAILED', `${path} leads through too many links`, {
          hint: 'name the file itself',
        })
      const leads = resolve(real, target, true)
      const folder = facts.writable.find((one) => isWithin(here, one))
      if (folder !== undefined && !isWithin(leads || '/', folder)) {
        throw new CoopError('E_FAILED', `${here} is a link that leads out of ${folder}, where boxes write`, {
          hint: `if you want that, name the place itself: ${leads || '/'}`,
        })
      }
      real = leads
    }
    return real
  }

  return resolve('', path, follow || /\/\.?$/.test(path)) || '/'
}
