/** Runs work for which boxes are frozen, and ends it early when its client is gone. */
import { CoopError } from '../core/errors.ts'
import type { ClientChannel } from './client-channel.ts'

export async function whileThere<T>(
  channel: ClientChannel,
  work: (gone: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController()
  const activity = { abandon: () => gone.abort(new CoopError('E_INTERRUPTED', 'the client is gone')) }
  channel.activity = activity
  try {
    return await work(gone.signal)
  } finally {
    if (channel.activity === activity) channel.activity = undefined
  }
}
