/** What of the store nothing uses. */
import { basename } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { hexOf, type ImageRecord, layerFolders, listRecords } from './images.ts'
import { boxUses, usersOf } from './usage.ts'

/** Images that no box has below it. One that was made here stays: nobody could get it again. */
export function unusedImages(paths: Paths): ImageRecord[] {
  return listRecords(paths).filter((record) => !record.from && usersOf(paths, record).length === 0)
}

/** Layers that no box uses and no image; with `images` those of unused images, too. */
export function unusedLayers(paths: Paths, images = false): string[] {
  const without = new Set(images ? unusedImages(paths).map(({ reference }) => reference) : [])
  const records = listRecords(paths).filter(({ reference }) => !without.has(reference))
  const used = new Set(records.flatMap(({ layers }) => layers.map(hexOf)))
  const boxes = boxUses(paths)
  return layerFolders(paths).filter(
    (folder) => !used.has(basename(folder)) && !boxes.some(({ text }) => text.includes(folder)),
  )
}
