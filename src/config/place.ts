/** The place where a well-formed but unusable value was written, for its error message. */
import { CoopError } from '../core/errors.ts'
import type { Origin } from './merge.ts'

type Origins = ReadonlyMap<string, Origin>

/** `FILE:LINE: ` or `COOP_…: ` before a sentence about the value of `key`; nothing for flags, just typed. */
export function placeOf(origins: Origins, key: string): string {
  const origin = origins.get(key)
  return origin ? placeText(origin) : ''
}

/** The same of an origin. */
export function placeText(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}: `
  return origin.kind === 'environment' ? `${origin.name}: ` : ''
}

/** Runs `work`; its CoopErrors concern the value of `key` and get that value's place. */
export function withPlace<T>(origins: Origins, key: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const place = placeOf(origins, key)
    // A missing build is no mistake in the file, and `coop` asks whether to build it.
    if (!(error instanceof CoopError) || !place || error.code === 'E_NOT_BUILT') throw error
    throw new CoopError(error.code, `${place}${error.message}`, { hint: error.hint, cause: error })
  }
}
