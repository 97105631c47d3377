/** Handlers of calls about the ports of boxes. */
import { CoopError } from '../core/errors.ts'
import type { PREVIEW_CALLS } from '../protocol/calls/previews.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function previewHandlers({ registry, ports }: Services): HandlersFor<keyof typeof PREVIEW_CALLS> {
  return {
    'preview.list': (_, { box }) => ports.list(registry.get(box)),
    // The server answers it for browsers (src/serve/server.ts).
    'preview.open': () => {
      throw new CoopError('E_USAGE', 'only a browser can open a preview', { hint: 'coop serve' })
    },
  }
}
