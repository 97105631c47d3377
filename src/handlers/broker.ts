/** Handlers of calls about the broker of keys. */
import { CoopError } from '../core/errors.ts'
import type { BROKER_CALLS } from '../protocol/calls/broker.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

const MAX_DOLLARS = 1e6

export function brokerHandlers({ registry, broker }: Services): HandlersFor<keyof typeof BROKER_CALLS> {
  return {
    'broker.use': (_, { box }) => {
      const boxes = box === undefined ? registry.boxes : [registry.get(box)]
      const all = boxes.map((one) => ({ box: one.name, uses: [...broker.usesOf(one)] }))
      return box === undefined ? all.filter(({ uses }) => uses.length) : all
    },
    'broker.add': (_, { dollars, provider, ...target }) => {
      const box = registry.find(target)
      if (!(dollars > 0 && dollars <= MAX_DOLLARS))
        throw new CoopError('E_USAGE', 'an amount of US dollars above 0 is expected', {
          hint: 'coop budget --add 5',
        })
      broker.addTo(box, dollars, provider)
      return { box: box.name, uses: [...broker.usesOf(box)] }
    },
  }
}
