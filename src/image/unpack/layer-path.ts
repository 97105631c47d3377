/** Names in a layer: the path below its folder that each one means, or an error. Pure; names are byte strings. */
import { badLayer, shown } from './tar-entry.ts'

const MAX_PATH = 4096 // PATH_MAX of Linux
const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

/**
 * The path below the root of the image, without dots and without slashes at its ends; '' is the root itself. A leading
 * slash means the root, as in every tool. `..` is refused. Raises E_IMAGE.
 */
export function layerPath(name: string): string {
  if (name.length > MAX_PATH) throw badLayer(`${shown(name)} in the layer has a name that is too long`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw badLayer(`${shown(name)} in the layer leads out of the image`)
  return parts.join('/')
}

export function split(path: string): { readonly parent: string; readonly base: string } {
  const slash = path.lastIndexOf('/')
  return { parent: slash < 0 ? '' : path.slice(0, slash), base: path.slice(slash + 1) }
}

/** The effect of a name on layers below (OCI image specification, layer.md, "Whiteouts"). */
export type Mark =
  | { readonly kind: 'none' }
  /** The folder hides everything that lower layers have in it. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'whiteout'; readonly hides: string }
  /** Bookkeeping of aufs, which has no effect. */
  | { readonly kind: 'ignored' }

export function markOf(base: string): Mark {
  if (!base.startsWith(WHITEOUT)) return { kind: 'none' }
  if (base === OPAQUE) return { kind: 'opaque' }
  const hides = base.slice(WHITEOUT.length)
  if (hides.startsWith(WHITEOUT)) return { kind: 'ignored' }
  if (hides === '' || hides === '.' || hides === '..')
    throw badLayer(`${shown(base)} in the layer hides no file`)
  return { kind: 'whiteout', hides }
}
