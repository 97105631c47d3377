/** Calls about the HTTP ports of boxes (src/preview). */
import { call } from '../shapes/call.ts'
import { flag, integer, list, object, optional, text } from '../shapes/shapes.ts'

const port = integer(1, 65_535)

export const PREVIEW_CALLS = {
  'preview.list': call(
    'Lists the TCP ports on which programs of the box listen. Changes are events (`listeners`) for 30 seconds.',
    object({ box: text() }),
    list(
      object({
        port,
        /** The name of the program, which the box chose. */
        process: optional(text()),
      }),
    ),
  ),
  'preview.open': call(
    'Returns an address that shows a port of the box in this browser. It can be opened once, within 30 seconds.',
    object({
      box: text(),
      port,
      /** The browser does not find names below `localhost`: use a port of its own. */
      plain: optional(flag),
    }),
    object({ url: text() }),
  ),
} as const
