/** Runs work on a box's own files while nobody changes them. */
import type { Box } from '../box/box.ts'
import { freeze, thaw } from '../box/freeze.ts'
import { CoopError } from '../core/errors.ts'
import type { Log } from './log.ts'

/** Checks that the box is neither starting nor ending, so that nothing else works on its files. Raises E_BOX_STATE. */
export function checkState(box: Box): void {
  if (!box.ending && (box.running || box.manifest.state === 'stopped')) return
  throw new CoopError('E_BOX_STATE', `the box ${box.name} is starting or ending right now`, {
    hint: 'coop ls',
  })
}

/**
 * Stops all processes of the box until `work` is done or has failed. The work ends early when `signal` is aborted, so
 * that a box does not stand still for a client that is gone. Raises E_BOX_STATE when the box was started or ended
 * meanwhile.
 */
export async function whileStill<T>(
  box: Box,
  log: Log,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  checkState(box)
  const life = box.manifest.init?.startTime
  let result: T
  try {
    if (box.running) await freeze(box)
    result = await work()
  } finally {
    await thaw(box).catch((error) => log('not-thawed', { box: box.name, error: String(error) }))
  }
  if (!box.ending && box.manifest.init?.startTime === life) return result
  throw new CoopError('E_BOX_STATE', `the box ${box.name} was started or ended meanwhile`, {
    hint: 'try again',
  })
}
