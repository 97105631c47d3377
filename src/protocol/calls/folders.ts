/** Calls for choosing a folder in a browser. */
import { call } from '../shapes/call.ts'
import { flag, list, literal, type Of, object, optional, text } from '../shapes/shapes.ts'
import { time } from '../shapes/values.ts'

const listedFolder = object({
  name: text(),
  /** It has a `.git`. */
  repository: flag,
  /** The box that has this folder as its workspace. */
  box: optional(text()),
})

const folderListing = object({
  /** Absolute, with links resolved. */
  path: text(),
  parent: optional(text()),
  home: text(),
  entries: list(listedFolder),
  /** There are more than are listed. */
  cut: optional(literal(true)),
})
export type FolderListing = Of<typeof folderListing>

export const FOLDER_CALLS = {
  'folder.list': call(
    'Lists the folders in a folder of this machine, hidden ones last. `~` is the home folder.',
    object({ path: text() }),
    folderListing,
  ),
  'folder.recent': call(
    'Lists folders that boxes had as their workspace, the latest first.',
    object({}),
    list(object({ path: text(), used: time })),
  ),
} as const
