/** Handlers of calls about the daemon itself. */
import type { SYSTEM_CALLS } from '../protocol/calls/system.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function systemHandlers({ bus, status, shutdown }: Services): HandlersFor<keyof typeof SYSTEM_CALLS> {
  return {
    'system.status': () => status(),
    events: ({ client }) => {
      client.watchEvents((hear) => bus.listen(hear))
      return null
    },
    'system.shutdown': () => {
      shutdown()
      return null
    },
  }
}
