/** What of the store nothing uses. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { findRecords, hexOf, type ImageRecord, layerFolders, listRecords } from './images.ts'
import { boxUses, usersOf } from './usage.ts'

/** Images that no box has below it. One that was made here stays: nobody could get it again. */
export function unusedImages(paths: Paths): ImageRecord[] {
  return listRecords(paths).filter((record) => !record.from && usersOf(paths, record).length === 0)
}

/** Texts of records that this release cannot read: the images of a newer one have layers, too. */
function opaqueRecords(paths: Paths): string[] {
  return findRecords(paths).flatMap(({ path, record }) => {
    if (record.is !== 'newer' && record.is !== 'unreadable') return []
    try {
      return [readFileSync(path, 'utf8')]
    } catch {
      return [] // gone meanwhile
    }
  })
}

/** Layers that no box uses and no image; with `images` those of unused images, too. */
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
