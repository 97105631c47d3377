/** Follows symlinks by hand, because finding an agent requires every link on the way. */

import { dirname, join } from 'node:path'
import type { HostFiles } from './host-files.ts'

const MAX_LINKS = 40 // Linux follows no more before ELOOP (path_resolution(7))

export interface Link {
  readonly path: string
  /** The link's text, possibly relative to its folder. */
  readonly target: string
}

export interface Resolved {
  /** Free of links. */
  readonly path: string
  /** The links that were followed, outermost first; each path is free of links itself. */
  readonly links: readonly Link[]
}

/** Resolves an absolute path; undefined if a part is missing or the links form a loop. */
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
