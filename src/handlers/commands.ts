/** Handlers of calls that run one command on a client's behalf. */
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError } from '../core/errors.ts'
import type { COMMAND_CALLS, CommandOptions } from '../protocol/calls/commands.ts'
import type { ClientChannel } from '../session/client-channel.ts'
import { loadScreens } from '../terminal/screen-keeper.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function commandHandlers(services: Services): HandlersFor<keyof typeof COMMAND_CALLS> {
  const { registry, commands, desk } = services

  /** Takes the pipes that were sent ahead before anything can fail, so that they do not pile up. */
  const withDescriptors = async <T>(
    channel: ClientChannel,
    { descriptors }: CommandOptions,
    work: (fds: readonly number[]) => Promise<T>,
  ): Promise<T> => {
    if (descriptors !== undefined) channel.needDescriptors()
    const fds = descriptors === undefined ? [] : await desk.take(descriptors)
    if (!fds)
      throw new CoopError('E_FAILED', 'the pipes of the command did not arrive', { hint: 'try again' })
    try {
      return await work(fds)
    } finally {
      fds.forEach(closeDescriptor)
    }
  }

  return {
    run: (channel, { box: options, command }) =>
      withDescriptors(channel, command, async (fds) => {
        const { box, warnings } = await registry.create(options, 'run', undefined, {
          command: command.command,
        })
        for (const warning of warnings) channel.notice(warning)
        if (command.terminal) await loadScreens()
        return commands.start(channel, box, command, fds)
      }),
    exec: (channel, { command, ...target }) =>
      withDescriptors(channel, command, async (fds) => {
        const box = registry.find(target)
        const isBox = registry.boxes.some(({ name }) => name === command.command[0])
        if (command.terminal) await loadScreens()
        return commands.start(channel, box, command, fds, isBox)
      }),
    rejoin: async (channel, request) => {
      await loadScreens()
      return commands.rejoin(channel, request)
    },
  }
}
