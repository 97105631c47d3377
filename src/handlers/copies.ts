/** Handlers of the calls of `coop cp`. A copy begins with `copy.begin` and ends with the connection. */
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Box } from '../box/box.ts'
import { CoopError } from '../core/errors.ts'
import type { COPY_CALLS, CopyFacts } from '../protocol/calls/copies.ts'
import type { ClientChannel } from '../session/client-channel.ts'
import { Copying } from '../session/copying.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function copyHandlers({ registry, desk }: Services): HandlersFor<keyof typeof COPY_CALLS> {
  /** Returns the facts that the client needs before it copies. */
  const factsOf = ({ name, manifest: { plan } }: Box): CopyFacts => {
    // Places of every box: a link planted by another box leads just as far.
    const { writable } = registry
    return {
      box: name,
      workspace: plan.workspace.target,
      home: plan.user.home,
      setuidFiles: plan.confinement.setuidFiles,
      writable,
    }
  }

  return {
    'copy.begin': async (channel, { descriptors, ...target }) => {
      channel.needDescriptors()
      const socket = await desk.takeSocket(descriptors)
      if (socket === undefined)
        throw new CoopError('E_FAILED', 'the socket for the copy did not arrive', { hint: 'try again' })
      try {
        const box = registry.find(target)
        const facts = factsOf(box)
        if (channel.activity) throw new CoopError('E_FAILED', 'this connection is busy with something else')
        channel.activity = new Copying(box, socket)
        return facts
      } catch (error) {
        closeDescriptor(socket)
        throw error
      }
    },
    'copy.look': (channel, { path, follow }) => copyingOf(channel).look(path, follow),
    'copy.open': (channel, { folder, names, follow }) => copyingOf(channel).open(folder, names, follow),
    'copy.list': (channel, { folder }) => copyingOf(channel).list(folder),
    'copy.create': (channel, { folder, entries }) => copyingOf(channel).create(folder, entries),
    'copy.finish': (channel, { files }) => copyingOf(channel).finish(files),
    'copy.settle': (channel, { folder, mode, mtime }) => copyingOf(channel).settle(folder, mode, mtime),
    'copy.end': async (channel) => {
      await copyingOf(channel).end()
      return null
    },
  }
}

function copyingOf({ activity }: ClientChannel): Copying {
  if (activity instanceof Copying) return activity
  throw new CoopError('E_FAILED', 'no copy has begun on this connection')
}
