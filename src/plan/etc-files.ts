/** Reads text files of images and of the host for the /etc of a box. */
import { existsSync, readFileSync } from 'node:fs'
import { readInside } from '../../ffi/small-file.ts'
import { hostNames, zoneFile } from '../host/host-names.ts'
import type { ImageFacts } from '../sandbox/compose.ts'
import { type HostEtc, hostEtc } from '../sandbox/host-etc.ts'
import { layeredText } from './image-layers.ts'

const MAX_ETC = 1 << 20

/** Reads a text file of an image. Never follows a link out of the image, and never reads a device. */
function imageText(root: string, path: string): string {
  try {
    const bytes = readInside(root, path, MAX_ETC, 'root')
    return bytes ? Buffer.from(bytes).toString('utf8') : ''
  } catch {
    return '' // treated as missing: the box gets a file of coop's
  }
}

function hostText(path: string): string {
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

/** Returns the files that follow the host, for an image. A step of a build gets no time zone: its files are kept. */
export function hostEtcOf(image: ImageFacts, isStep: boolean): (hostname: string) => HostEtc {
  return (hostname) => {
    const names = hostNames()
    if (isStep) return hostEtc({ ...names, hosts: '', zone: undefined }, hostname, undefined)
    const zone = names.zone?.name === undefined ? undefined : zoneFile(names.zone.name)
    return hostEtc(names, hostname, zone !== undefined && hasFile(image, zone) ? zone : undefined)
  }
}

function hasFile(image: ImageFacts, path: string): boolean {
  if (image.kind === 'host') return existsSync(path)
  const inside = path.slice(1)
  return (
    (image.kind === 'layers' ? layeredText(image.layers, inside) : imageText(image.source.path, inside)) !==
    ''
  )
}
