/** Which boxes use what of the store, by their manifests. */
import { readdirSync, readFileSync } from 'node:fs'
import { boxesDir, manifestFile, type Paths } from '../core/paths.ts'
import { hexOf, type ImageRecord } from './images.ts'

interface BoxUse {
  readonly name: string
  /** The manifest: a layer's path in it means that the box uses it. */
  readonly text: string
}

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
      return { name, text }
    } catch {
      return [] // gone meanwhile, or damaged: then it cannot run either
    }
  })
}

/** Names of the boxes that have an image below them, by its topmost layer: a build's box has more on top. */
export function usersOf(paths: Paths, { layers }: Pick<ImageRecord, 'layers'>): string[] {
  const top = hexOf(layers.at(-1) ?? '')
  return boxUses(paths)
    .filter(({ text }) => top !== '' && text.includes(`/${top}/`))
    .map(({ name }) => name)
}
