/** Finds the boxes that use a part of the store, by their manifests. */

import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf } from '../core/errno.ts'
import { boxesDir, manifestFile, type Paths } from '../core/paths.ts'
import { boxManifest } from './box-manifest.ts'
import { hexOf, type ImageRecord } from './images.ts'
import { readStored } from './kind.ts'

interface BoxUse {
  readonly name: string
  /** Whether a path, or a part of one, occurs in the manifest. A box with an unreadable manifest may use everything. */
  uses(part: string): boolean
}

const usesAll = (): boolean => true

export function boxUses(paths: Paths): BoxUse[] {
  let names: string[] = []
  try {
    names = readdirSync(boxesDir(paths))
  } catch {
    // There has never been a box.
  }
  return names.flatMap((name) => {
    try {
      const text = readFileSync(manifestFile(paths, name), 'utf8')
      const isReadable = readStored(boxManifest, text).is === 'readable'
      return { name, uses: isReadable ? (part: string) => text.includes(part) : usesAll }
    } catch (error) {
      // ENOENT: removed meanwhile, or not made yet. Anything else that is not a file may hide a box.
      return errnoOf(error) === 'ENOENT' ? [] : { name, uses: usesAll }
    }
  })
}

/** Names of the boxes based on an image, found by its topmost layer: boxes of a build have more layers on top. */
export function usersOf(paths: Paths, { layers }: Pick<ImageRecord, 'layers'>): string[] {
  const top = hexOf(layers.at(-1) ?? '')
  return boxUses(paths)
    .filter(({ uses }) => top !== '' && uses(`/${top}/`))
    .map(({ name }) => name)
}
