/** Handlers of calls about boxes. */

import type { Box } from '../box/box.ts'
import { UnknownBox } from '../box/unknown-box.ts'
import { differences } from '../engine/differences.ts'
import { left } from '../engine/left.ts'
import { withPath } from '../host/callers.ts'
import type { BOX_CALLS, BoxInfo } from '../protocol/calls/boxes.ts'
import { printablePlan } from '../sandbox/plan.ts'
import { boxInfo, boxStatus, unknownInfo } from './box-info.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function boxHandlers({ registry }: Services): HandlersFor<keyof typeof BOX_CALLS> {
  const anyInfo = (box: Box | UnknownBox): BoxInfo =>
    box instanceof UnknownBox ? unknownInfo(box) : boxInfo(box, registry)
  return {
    'box.create': async ({ caller }, { box: options, greet }) => {
      const from = withPath(caller, options.environment)
      const { box, warnings } = await registry.create(options, 'agent', from, { greets: greet === true })
      return { ...boxInfo(box, registry), warnings }
    },
    'box.plan': (_, { box }) => {
      const { plan, hidden, asks } = registry.plan(box)
      const notes = asks.map(({ sentence }) => `not accepted yet (coop trust): to ${sentence}`)
      return printablePlan({ ...plan, notes: [...plan.notes, ...notes] }, hidden)
    },
    'box.find': (_, { unknown, ...target }) =>
      unknown ? anyInfo(registry.findAny(target)) : boxInfo(registry.find(target), registry),
    'box.list': async (_, { all }) => {
      if (all) await left(registry.boxes)
      const boxes = registry.boxes.filter((box) => all || box.manifest.kind === 'agent')
      return [...boxes, ...registry.unknown].map(anyInfo)
    },
    'box.differences': (_, { flags, ...target }) => differences(flags, registry.find(target).manifest),
    'box.status': (_, target) => boxStatus(registry.find(target), registry, target.secrets === true),
    'box.kill': async (_, { force, ...target }) => {
      const { name } = registry.findAny(target)
      await registry.kill(name, force)
      return { box: name }
    },
    'box.stop': async (_, { force, ...target }) => {
      const box = registry.find(target)
      await registry.starts.settled(box.name)
      await box.stop({ force, reason: 'coop stop' })
      return { box: box.name }
    },
    'box.start': async ({ caller }, { environment, attaches, flags, ...target }) => {
      const { name, terminals } = registry.find(target)
      terminals.expectsClient = attaches === true
      const { warnings } = await registry.start(name, environment, withPath(caller, environment), flags)
      return { box: name, warnings }
    },
  }
}
