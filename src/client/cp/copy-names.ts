/** Parses the two arguments of `coop cp`, and decides the name of the copy. Pure; paths may be bytes (latin1). */
import { CoopError } from '../../core/errors.ts'
import type { CopyEntry } from '../../protocol/calls/copies.ts'

export type Side =
  | { readonly kind: 'box'; readonly box: string | undefined; readonly path: string }
  | { readonly kind: 'host'; readonly path: string }
  | { readonly kind: 'stream' }

export type Request =
  | {
      readonly way: 'in'
      readonly box: string | undefined
      readonly from: Side & { kind: 'host' | 'stream' }
      readonly path: string
    }
  | {
      readonly way: 'out'
      readonly box: string | undefined
      readonly to: Side & { kind: 'host' | 'stream' }
      readonly path: string
    }

const FORMS = 'coop cp FILE BOX:/path, or coop cp BOX:/path FILE'

/**
 * Parses one argument. `BOX:path` means a box, unless a slash comes before the colon: `./a:b` is a file of the host.
 */
export function parseSide(argument: string): Side {
  if (argument === '-') return { kind: 'stream' }
  if (argument === '') throw new CoopError('E_USAGE', 'a path is empty', { hint: FORMS })
  const [, box, path] = /^([^/:]*):(.*)$/s.exec(argument) ?? []
  if (box === undefined || path === undefined) return { kind: 'host', path: argument }
  return { kind: 'box', box: box || undefined, path }
}

/** Determines the direction of the copy. Exactly one side is in a box. */
export function parseRequest(source: string, destination: string): Request {
  const [from, to] = [parseSide(source), parseSide(destination)]
  if (from.kind === 'box' && to.kind === 'box')
    throw new CoopError('E_USAGE', 'both sides are in a box', {
      hint: 'copy to a folder on this machine first, and from there into the other box',
    })
  if (from.kind !== 'box' && to.kind !== 'box')
    throw new CoopError('E_USAGE', 'neither side is in a box', { hint: FORMS })
  if (from.kind === 'box' && to.kind !== 'box') return { way: 'out', box: from.box, path: from.path, to }
  if (to.kind === 'box' && from.kind !== 'box') return { way: 'in', box: to.box, path: to.path, from }
  throw new CoopError('E_USAGE', 'exactly one side of a copy must be in a box', { hint: FORMS })
}

/** Returns an absolute path in a box: `~` is the box's home, and relative paths start at its workspace. */
export function boxPath(path: string, home: string, workspace: string): string {
  if (path === '~' || path.startsWith('~/')) return home + path.slice(1)
  return path.startsWith('/') ? path : `${workspace}/${path}`
}

/** A path split into a folder and a name in it. */
export interface Split {
  readonly folder: string
  /** Undefined where the path names a folder by itself: `/`, `.`, `a/..`, `a/.`. */
  readonly name: string | undefined
  /** Whether it ends with a slash: then it must be a folder, and a link is followed. */
  readonly slash: boolean
}

export function splitPath(path: string): Split {
  const trimmed = path.replace(/\/+$/, '')
  const at = trimmed.lastIndexOf('/')
  const last = trimmed.slice(at + 1)
  if (last === '' || last === '.' || last === '..')
    return { folder: path || '/', name: undefined, slash: true }
  const folder = at < 0 ? '.' : trimmed.slice(0, at) || '/'
  return { folder, name: last, slash: trimmed !== path }
}

/** The place of the copy: a name in a folder, or without a name the folder itself. */
export interface Aim {
  readonly folder: string
  readonly name: string | undefined
}

/** One end of a copy: its path, the path as the user wrote it, and the type of file found there. */
export interface End {
  readonly path: string
  readonly named: string
  readonly type: CopyEntry['type']
}

/** Decides the place as cp(1) does: inside an existing folder, otherwise under the given name. Raises E_FAILED. */
export function aim(source: Pick<End, 'path' | 'type'>, destination: End): Aim {
  const from = splitPath(source.path)
  const to = splitPath(destination.path)
  const { named, type } = destination
  if (type === 'folder') return { folder: destination.path, name: from.name }
  if (type === 'missing') {
    if (to.name === undefined || (to.slash && source.type !== 'folder'))
      throw new CoopError('E_FAILED', `there is no folder ${named}`, {
        hint: 'create it first: mkdir -p DIR',
      })
    return { folder: to.folder, name: to.name }
  }
  if (source.type === 'folder')
    throw new CoopError('E_FAILED', `${named} is a ${type}, and the source is a folder`, {
      hint: 'choose another name',
    })
  if (to.slash || to.name === undefined)
    throw new CoopError('E_FAILED', `${named} is not a folder`, { hint: 'leave out the last /' })
  if (type !== 'file' && type !== 'link')
    throw new CoopError('E_FAILED', `${named} is a ${type}, which cp does not replace`, {
      hint: 'write its bytes with -: coop cp BOX:/path - > FILE',
    })
  return { folder: to.folder, name: to.name }
}
