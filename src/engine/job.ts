/** Emits events when long work of the daemon begins and how it ends. */
import type { Bus } from '../core/bus.ts'
import type { CoopEvent } from '../protocol/events.ts'

type Job = Pick<CoopEvent & { readonly event: 'job' }, 'box' | 'job' | 'name'>

export async function asJob<T>(bus: Bus<CoopEvent>, job: Job, work: () => Promise<T>): Promise<T> {
  bus.emit({ event: 'job', ...job, state: 'began' })
  try {
    const result = await work()
    bus.emit({ event: 'job', ...job, state: 'done' })
    return result
  } catch (error) {
    bus.emit({ event: 'job', ...job, state: 'failed' })
    throw error
  }
}
