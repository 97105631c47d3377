/** Handlers of calls about boxes. */

import type { BOX_CALLS } from '../../protocol/calls/boxes.ts'
import { printablePlan } from '../../sandbox/plan.ts'
import { boxInfo, boxStatus } from '../box-info.ts'
import type { HandlersFor } from '../handlers.ts'
import type { Services } from '../services.ts'

export function boxHandlers({ registry }: Services): HandlersFor<keyof typeof BOX_CALLS> {
  return {
    'box.create': async (_, { box: options }) => {
      const { box, warnings } = await registry.create(options, 'agent')
      return { ...boxInfo(box, registry), warnings }
    },
    'box.plan': (_, { box }) => {
      const { plan, hidden, asks } = registry.plan(box)
      const notes = asks.map(({ sentence }) => `not accepted yet (coop trust): to ${sentence}`)
      return printablePlan({ ...plan, notes: [...plan.notes, ...notes] }, hidden)
    },
    'box.find': (_, target) => boxInfo(registry.find(target), registry),
    'box.list': () =>
      registry.boxes.filter((box) => box.manifest.kind === 'agent').map((box) => boxInfo(box, registry)),
    'box.status': (_, target) => boxStatus(registry.find(target), registry),
    'box.kill': async (_, { force, ...target }) => {
      const box = registry.find(target)
      await box.end({ force, reason: 'coop kill' })
      return { box: box.name }
    },
    'box.stop': async (_, { force, ...target }) => {
      const box = registry.find(target)
      await box.stop({ force, reason: 'coop stop' })
      return { box: box.name }
    },
    'box.start': async (_, { environment, ...target }) => {
      const { name } = registry.find(target)
      const { warnings } = await registry.start(name, environment)
      return { box: name, warnings }
    },
  }
}
