/**
 * Reads the image that a box starts from out of the store: its layers as sources of an overlay, and its configuration.
 */

import { resolve } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { sourceOf } from '../host/facts.ts'
import { isLocal, noLocalImage, parseReference, printReference } from '../image/reference.ts'
import { stepIds } from '../image/steps.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import type { LayeredImage } from '../store/box-manifest.ts'
import { latestBuild } from '../store/builds.ts'
import { findRecord, hasLayer, layerDir, layerFiles, layersDir, readableRecord } from '../store/images.ts'
import type { ImageBelow } from '../store/snapshot-record.ts'
import { expandHome } from './configured-mounts.ts'

const MAX_TEXT = 1 << 20 // bytes of a file in /etc

export type { LayeredImage } from '../store/box-manifest.ts'

/** Returns the reference in full, with paths made absolute relative to the workspace. */
export function imageReference(text: string, workspace: string): string {
  const parsed = parseReference(text)
  return printReference(
    'path' in parsed ? { ...parsed, path: resolve(workspace, expandHome(parsed.path)) } : parsed,
  )
}

/**
 * Returns the image with the layers of `steps` on top. Raises E_NOT_BUILT when it was never built, or was built for
 * other ids than boxes have now.
 */
export function layeredImage(
  text: string,
  workspace: string,
  paths: Paths,
  ids: IdPlan,
  steps: readonly string[],
): LayeredImage {
  const reference = imageReference(text, workspace)
  const record = findRecord(paths, reference)
  if (!record && isLocal(reference)) throw noLocalImage(reference)
  const hint = steps.length || record?.from ? 'coop build' : `coop image pull ${reference}`
  const chains = record ? [...record.layers, ...stepIds(record, steps)] : []
  if (!record || !chains.every((chain) => hasLayer(paths, ids, chain))) {
    const isBase = record?.layers.every((chain) => hasLayer(paths, ids, chain))
    const what = isBase ? `setup on the image ${reference}` : `the image ${reference}`
    const isMade = steps.length > 0 || record?.from !== undefined
    const state = isMade ? 'is not built' : record ? 'is not complete' : 'has not been pulled'
    throw new CoopError('E_NOT_BUILT', `${what} ${state}`, { hint })
  }
  const layers = chains.toReversed().map((chain) => {
    const source = sourceOf(layerFiles(layerDir(paths, ids, chain)), 'box')
    if (source?.type === 'folder') return source
    throw new CoopError('E_IMAGE', `a layer of ${reference} is gone`, { hint })
  })
  const environment = Object.fromEntries(
    record.config.env.map((entry) => [
      entry.slice(0, entry.indexOf('=')),
      entry.slice(entry.indexOf('=') + 1),
    ]),
  )
  return { base: record.base, layers, environment, workingDir: record.config.workingDir }
}

/** Returns the layers below a box's own files; none for a plain `host` or `rootfs:`. */
export function imageBelow(plan: Pick<Plan, 'ids' | 'root' | 'steps'>, paths: Paths): ImageBelow {
  const folder = `${layersDir(paths, plan.ids)}/`
  const layers = plan.root.lower
    .filter(({ path }) => path.startsWith(folder))
    .map(({ path }) => `sha256:${path.slice(folder.length).split('/', 1)[0]}`)
    .toReversed()
  return { base: plan.steps.some((step) => step.do === 'overlay') ? 'host' : undefined, layers }
}

/** Returns whether a box started from an older build than a new box would start from now. */
export function isOlderBuild({ image, workspace, ids, root, steps }: Plan, paths: Paths): boolean {
  const top = imageBelow({ ids, root, steps }, paths).layers.at(-1)
  const [below] = root.lower
  if (top === undefined || !below) return false
  const now = sourceOf(below.path, 'box')
  if (now && now.inode !== below.inode) return true // built again with --no-cache
  const { path } = workspace.source
  const latest =
    latestBuild(paths, path, image) ??
    findRecord(paths, imageReference(image, path), readableRecord)?.layers.at(-1)
  return latest !== undefined && latest !== top && hasLayer(paths, ids, latest)
}

/** Reads a text file as the stack of layers shows it; '' when there is none. Never follows a link out of its layer. */
export function layeredText(layers: readonly Source[], path: string): string {
  for (const { path: layer } of layers) {
    try {
      const bytes = readInside(layer, path, MAX_TEXT, 'root')
      return bytes ? Buffer.from(bytes).toString('utf8') : '' // a device is a whiteout: this layer deleted the file
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') return '' // treated as missing: the box gets a file of coop's
    }
  }
  return ''
}
