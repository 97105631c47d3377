/** Handlers of the calls of `coop cp`. A copy begins with `copy.begin` and ends with the connection. */
import { closeDescriptor } from '../../../ffi/pty.ts'
import type { Box } from '../../box/box.ts'
import { CoopError } from '../../core/errors.ts'
import type { COPY_CALLS, CopyFacts } from '../../protocol/calls/copies.ts'
import type { Connection } from '../connection.ts'
import { Copying } from '../copying.ts'
import type { HandlersFor } from '../handlers.ts'
import type { Services } from '../services.ts'

export function copyHandlers({ registry, desk }: Services): HandlersFor<keyof typeof COPY_CALLS> {
  /** The client has to know these before it copies. */
  const factsOf = ({ name, manifest: { plan } }: Box): CopyFacts => {
    // Of every box: a link that another one has planted leads just as far.
    const writable = registry.boxes.flatMap(({ manifest }) =>
      manifest.plan.steps.flatMap((step) => (step.do === 'bind' && !step.readonly ? [step.source.path] : [])),
    )
    return {
      box: name,
      workspace: plan.workspace.target,
      home: plan.user.home,
      setuidFiles: plan.confinement.setuidFiles,
      writable: [...new Set(writable)],
    }
  }

  return {
    'copy.begin': (client, { descriptors, ...target }) => {
      const socket = desk.takeSocket(descriptors)
      if (socket === undefined)
        throw new CoopError('E_FAILED', 'the socket for the copy did not arrive', { hint: 'try again' })
      try {
        const box = registry.find(target)
        const facts = factsOf(box)
        if (client.activity) throw new CoopError('E_FAILED', 'this connection is busy')
        client.activity = new Copying(box, socket)
        return facts
      } catch (error) {
        closeDescriptor(socket)
        throw error
      }
    },
    'copy.look': (client, { path, follow }) => copyingOf(client).look(path, follow),
    'copy.open': (client, { folder, names, follow }) => copyingOf(client).open(folder, names, follow),
    'copy.list': (client, { folder }) => copyingOf(client).list(folder),
    'copy.create': (client, { folder, entries }) => copyingOf(client).create(folder, entries),
    'copy.finish': (client, { files }) => copyingOf(client).finish(files),
    'copy.settle': (client, { folder, mode, mtime }) => copyingOf(client).settle(folder, mode, mtime),
    'copy.end': async (client) => {
      await copyingOf(client).end()
      return null
    },
  }
}

function copyingOf({ activity }: Connection): Copying {
  if (activity instanceof Copying) return activity
  throw new CoopError('E_FAILED', 'no copy has begun on this connection')
}
