/** Finds the parts of the store that nothing uses. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { findRecords, hexOf, type ImageRecord, layerFolders, listRecords } from './images.ts'
import { boxUses, usersOf } from './usage.ts'

/** Images without boxes. An image that was made here stays, because nobody could get it again. */
export function unusedImages(paths: Paths): ImageRecord[] {
  return listRecords(paths).filter((record) => !record.from && usersOf(paths, record).length === 0)
}

/** Texts of records that this release cannot read: images of a newer release have layers, too. */
function opaqueRecords(paths: Paths): string[] {
  return findRecords(paths).flatMap(({ path, record }) => {
    if (record.is !== 'newer' && record.is !== 'unreadable') return []
    try {
      return [readFileSync(path, 'utf8')]
    } catch {
      return [] // removed meanwhile
    }
  })
}

/** Layers that neither a box nor an image uses; with `images`, also the layers of unused images. */
export function unusedLayers(paths: Paths, images = false): string[] {
  const without = new Set(images ? unusedImages(paths).map(({ reference }) => reference) : [])
  const records = listRecords(paths).filter(({ reference }) => !without.has(reference))
  const used = new Set(records.flatMap(({ layers }) => layers.map(hexOf)))
  const boxes = boxUses(paths)
  const others = opaqueRecords(paths)
  const isUsed = (folder: string): boolean =>
    used.has(basename(folder)) ||
    boxes.some(({ uses }) => uses(folder)) ||
    others.some((text) => text.includes(basename(folder)))
  return layerFolders(paths).filter((folder) => !isUsed(folder))
}
