/** Handlers of calls about trust. */

import { acceptAsks, listTrust, revokeTrust } from '../engine/trust.ts'
import type { TRUST_CALLS } from '../protocol/calls/trust.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function trustHandlers({ registry }: Services): HandlersFor<keyof typeof TRUST_CALLS> {
  return {
    'trust.show': (_, { box }) => registry.trust(box),
    'trust.accept': (_, request) => {
      acceptAsks(registry.context, request)
      return null
    },
    'trust.list': () => listTrust(registry.context),
    'trust.revoke': (_, { workspace }) => revokeTrust(registry.context, workspace),
  }
}
