/** Which boxes use what of the store, by their manifests. */

import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf } from '../core/errno.ts'
import { boxesDir, manifestFile, type Paths } from '../core/paths.ts'
import { boxManifest } from './box-manifest.ts'
import { hexOf, type ImageRecord } from './images.ts'
import { readStored } from './kind.ts'

interface BoxUse {
  readonly name: string
  /** Whether a path or a part of one is in the manifest. A box whose manifest cannot be read may use everything. */
  uses(part: string): boolean
}

const usesAll = (): boolean => true

export function boxUses(paths: Paths): BoxUse[] {
  let names: string[] = []
  try {
    names = readdirSync(boxesDir(paths))
  } catch {
    // There was never a box.
  }
  return names.flatMap((name) => {
    try {
      const text = readFileSync(manifestFile(paths, name), 'utf8')
      const isReadable = readStored(boxManifest, text).is === 'readable'
      return { name, uses: isReadable ? (part: string) => text.includes(part) : usesAll }
    } catch (error) {
      // Gone meanwhile, or not made yet; what is there and is no file may hide a box.
      return errnoOf(error) === 'ENOENT' ? [] : { name, uses: usesAll }
    }
  })
}

/** Names of the boxes that have an image below them, by its topmost layer: a build's box has more on top. */
export function usersOf(paths: Paths, { layers }: Pick<ImageRecord, 'layers'>): string[] {
  const top = hexOf(layers.at(-1) ?? '')
  return boxUses(paths)
    .filter(({ uses }) => top !== '' && uses(`/${top}/`))
    .map(({ name }) => name)
}
