/** Handlers of calls about snapshots. */
import type { SNAPSHOT_CALLS } from '../protocol/calls/snapshots.ts'
import { whileThere } from '../session/while-there.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function snapshotHandlers({
  registry: { snapshots },
}: Services): HandlersFor<keyof typeof SNAPSHOT_CALLS> {
  return {
    'snapshot.create': (channel, request) => whileThere(channel, (gone) => snapshots.create(request, gone)),
    'snapshot.restore': (_, request) => snapshots.restore(request),
    'snapshot.undo': (_, request) => snapshots.undo(request),
    'snapshot.list': (_, target) => snapshots.list(target),
    'snapshot.remove': (_, request) => snapshots.remove(request),
  }
}
