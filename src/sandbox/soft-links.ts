/** Links that a box gets where it has nothing else: a path of the caller, or one that git looks for. */
import { isKernelPlace } from '../config/box-paths.ts'
import type { BoxLink } from './plan.ts'
import { isWithin } from './sensitive.ts'

const MOST_NAMES = 200 // folders and links; each takes three of the 2,048 calls of a set-up batch
const MAX_PATH = 4095
const MAX_NAME = 255

/** The folders above a path, the outermost first. */
export function foldersTo(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

const isPath = (path: string): boolean =>
  path.startsWith('/') &&
  !path.includes('\0') &&
  Buffer.byteLength(path) <= MAX_PATH &&
  path
    .slice(1)
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= MAX_NAME)

/** The links that can be made, as many as one batch bears. `targets`: mounts of the box, where nothing may be made. */
export function softLinks(wanted: readonly BoxLink[], targets: readonly string[]): readonly BoxLink[] {
  const names = new Set<string>()
  return wanted.filter(({ at }) => {
    if (!isPath(at) || isKernelPlace(at)) return false
    // Nor above a mount: a link would take the place of a folder that leads to it.
    if (targets.some((target) => isWithin(at, target) || isWithin(target, at))) return false
    const more = [...foldersTo(at), at].filter((name) => !names.has(name))
    if (names.size + more.length > MOST_NAMES) return false
    for (const name of more) names.add(name)
    return true
  })
}
