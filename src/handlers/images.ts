/** Handlers of calls about images. */
import type { IMAGE_CALLS } from '../protocol/calls/images.ts'
import { whileThere } from '../session/while-there.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function imageHandlers({ registry }: Services): HandlersFor<keyof typeof IMAGE_CALLS> {
  return {
    'image.publish': (channel, request) =>
      whileThere(channel, (gone) => registry.publishing.publish(request, gone)),
  }
}
