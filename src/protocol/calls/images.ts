/** Calls about images that the daemon answers. The worker answers the others. */
import { call } from '../shapes/call.ts'
import { flag, integer, type Of, object, text } from '../shapes/shapes.ts'

const published = object({
  reference: text(),
  /** The origin, for people: `the box app`, `the snapshot app/green`. */
  of: text(),
  /** Bytes of the new layer. */
  size: integer(0, Number.MAX_SAFE_INTEGER),
})
export type Published = Of<typeof published>

export const IMAGE_CALLS = {
  'image.publish': call(
    'Makes an image of a box or a snapshot. With `force` it replaces an image of that name.',
    object({
      /** A box by name or workspace path; a snapshot as `BOX/NAME`, or by its name alone. */
      source: text(),
      cwd: text(),
      /** The image's reference in full. */
      reference: text(),
      force: flag,
    }),
    published,
  ),
} as const
