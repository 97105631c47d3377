/** Finds the image that an argument means. */

import { CoopError } from '../../../core/errors.ts'
import type { Paths } from '../../../core/paths.ts'
import { isLocal, noLocalImage } from '../../../image/reference.ts'
import { findRecord, type ImageRecord, listRecords } from '../../../store/images.ts'
import { storedReference } from './pull.ts'

const MIN_DIGEST = 6 // hex digits, as people copy them from `coop image ls`

/** Finds an image by reference, or by the beginning of its digest. Raises E_IMAGE. */
export function findImage(paths: Paths, text: string): ImageRecord {
  const hex = text.replace(/^sha256:/, '')
  if (/^[0-9a-f]+$/.test(hex) && hex.length >= MIN_DIGEST) {
    const found = listRecords(paths).filter(({ digest }) => digest.slice('sha256:'.length).startsWith(hex))
    if (found[0]) return found[0]
  }
  const reference = storedReference(text)
  const record = findRecord(paths, reference)
  if (!record && isLocal(reference)) throw noLocalImage(reference)
  if (!record)
    throw new CoopError('E_IMAGE', `there is no image ${reference}`, {
      hint: `pull it: coop image pull ${text}; or list the images: coop image ls`,
    })
  return record
}
