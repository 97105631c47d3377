/**
 * Finds the skeleton of the `host` image (src/sandbox/host-skeleton.ts). It is made once for each state of the host's
 * packages, and shared by all boxes of the data folder.
 */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { imagesDir, type Paths } from '../core/paths.ts'
import { type HostFacts, sourceOf } from '../host/facts.ts'
import { systemState } from '../host/system-tree.ts'
import { overlayName } from '../sandbox/host-image.ts'
import { hostIdOfRoot, planIds } from '../sandbox/ids.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { skeletonSources } from '../sandbox/skeleton-sources.ts' with { type: 'macro' }
import { futureFolder } from './missing.ts'

const MADE_BY = skeletonSources()

/** The folders in `images` that hold skeletons begin with this. */
export const SKELETON = 'host-'

/** By overlay: its folder in the skeleton. */
export type SkeletonLayers = ReadonlyMap<string, Source>

interface Known {
  readonly state: string
  readonly layers: SkeletonLayers
}

const known = new WeakMap<HostFacts, Known>()

const tops = ({ image }: HostFacts): string[] => [
  'root',
  ...image.folders.map(({ source }) => overlayName(source.path)),
]

/** The name in `images` of the skeleton for the host as it is now. */
export function skeletonName(host: HostFacts, state = systemState()): string {
  const ids = planIds(host.ids)
  const folders = host.image.folders.map(({ source, hasMounts }) => [source.path, hasMounts])
  const root = ids.kind === 'root' ? hostIdOfRoot(ids.uids) : 0
  const text = JSON.stringify([
    MADE_BY,
    folders,
    host.image.inUsr?.map(({ path }) => path),
    host.image.links,
    ids.kind,
    root,
    state,
  ])
  return `${SKELETON}${Bun.hash(text).toString(16)}`
}

/** The skeleton that a plan's box lies on, by the path of its topmost folder; undefined for other images. */
export function skeletonOf({ root }: Pick<Plan, 'root'>): string | undefined {
  const path = root.lower.at(-1)?.path
  return path !== undefined && basename(dirname(path)).startsWith(SKELETON) ? dirname(path) : undefined
}

/** Undefined if it does not exist yet. */
export function findSkeleton(host: HostFacts, paths: Paths): SkeletonLayers | undefined {
  const state = systemState()
  const before = known.get(host)
  if (before?.state === state && [...before.layers.values()].every(isThere)) return before.layers
  const folder = join(imagesDir(paths), skeletonName(host, state))
  if (!existsSync(folder)) return undefined
  const layers = new Map(
    readdirSync(folder).flatMap((top) => {
      if (top.startsWith('.')) return []
      const source = sourceOf(join(folder, top), 'box')
      return source ? [[top, source] as const] : []
    }),
  )
  known.set(host, { state, layers })
  return layers
}

/** Whoever removes coop's data while the daemon runs gets a new folder of the same name. */
const isThere = ({ path, inode }: Source): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.ino === inode

/** Stands for the skeleton until it is made. */
export const futureSkeleton = (host: HostFacts): SkeletonLayers =>
  new Map(tops(host).map((top) => [top, futureFolder(`/${top}`)]))
