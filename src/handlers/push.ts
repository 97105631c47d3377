/** Handlers of calls about notices for browsers. */
import { CoopError } from '../core/errors.ts'
import type { PUSH_CALLS } from '../protocol/calls/push.ts'
import type { ClientChannel } from '../session/client-channel.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function pushHandlers({ serving }: Services): HandlersFor<keyof typeof PUSH_CALLS> {
  return {
    'push.key': async () => ({ key: await serving.pusher.key() }),
    'push.subscribe': (channel, { subscription }) => {
      serving.pusher.subscribe(browserOf(channel), subscription)
      return null
    },
    'push.unsubscribe': (channel) => {
      serving.pusher.unsubscribe(browserOf(channel))
      return null
    },
  }
}

/** The id of the browser that calls. */
function browserOf({ client }: ClientChannel): string {
  const { browser } = client.transport
  if (browser !== undefined) return browser
  throw new CoopError('E_USAGE', 'only browsers get such notices', { hint: 'set session.notify' })
}
