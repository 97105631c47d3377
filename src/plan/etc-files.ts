/** Reads text files of images and of the host for the /etc of a box. */
import { readFileSync } from 'node:fs'
import { readInside } from '../../ffi/small-file.ts'
import type { ImageFacts } from '../sandbox/compose.ts'
import { layeredText } from './image-layers.ts'

const MAX_ETC = 1 << 20

/** Reads a text file of an image. Never follows a link out of the image, and never reads a device. */
export function imageText(root: string, path: string): string {
  try {
    const bytes = readInside(root, path, MAX_ETC, 'root')
    return bytes ? Buffer.from(bytes).toString('utf8') : ''
  } catch {
    return '' // treated as missing: the box gets a file of coop's
  }
}

export function hostText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Returns a file of the image's /etc; '' if it has none. */
export function etcText(image: ImageFacts, name: string): string {
  if (image.kind === 'layers') return layeredText(image.layers, `etc/${name}`)
  return image.kind === 'rootfs' ? imageText(image.source.path, `etc/${name}`) : hostText(`/etc/${name}`)
}
