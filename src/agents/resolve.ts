/** Following symlinks by hand, because finding an agent needs to know every link on the way. */

import { dirname, join } from 'node:path'
import type { HostFiles } from './host-files.ts'

const MAX_LINKS = 40 // what Linux follows before ELOOP, path_resolution(7)

export interface Link {
  readonly path: string
  /** As it is read, possibly relative to the link's folder. */
  readonly target: string
}

export interface Resolved {
  /** Free of links. */
  readonly path: string
  /** The links that were followed, outermost first, each named by a path that is free of links itself. */
  readonly links: readonly Link[]
}

/** Resolves an absolute path; undefined when something on the way is missing or the links never end. */
export function resolveLinks(files: HostFiles, path: string): Resolved | undefined {
  const links: Link[] = []
  let done = '/'
  let rest = path.split('/')
  while (rest.length > 0) {
    const [name = '', ...others] = rest
    rest = others
    if (name === '' || name === '.') continue
    if (name === '..') {
      done = dirname(done)
      continue
    }
    const here = join(done, name)
    const kind = files.kind(here)
    if (kind === undefined) return undefined
    if (kind !== 'link') {
      done = here
      continue
    }
    const target = files.readLink(here)
    if (target === undefined || links.length === MAX_LINKS) return undefined
    links.push({ path: here, target })
    if (target.startsWith('/')) done = '/'
    rest = [...target.split('/'), ...rest]
  }
  return { path: done, links }
}

/** Whether `path` is `folder` or lies below it. Both absolute and normal. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
