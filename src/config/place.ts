/** Where a value was written that is well-formed but cannot be used, for the error that says so. */
import { CoopError } from '../core/errors.ts'
import type { Origin } from './merge.ts'

type Origins = ReadonlyMap<string, Origin>

/** `FILE:LINE: ` or `COOP_…: ` before a sentence about the value of `key`; nothing for a flag, which its user sees. */
export function placeOf(origins: Origins, key: string): string {
  const origin = origins.get(key)
  return origin ? placeText(origin) : ''
}

/** The same of an origin. */
export function placeText(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}: `
  return origin.kind === 'environment' ? `${origin.name}: ` : ''
}

/** A CoopError of `work` is one about the value of `key`, and says where that is. */
export function withPlace<T>(origins: Origins, key: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const place = placeOf(origins, key)
    // What is only not there yet is no mistake in the file, and `coop` asks whether to build it.
    if (!(error instanceof CoopError) || !place || error.code === 'E_NOT_BUILT') throw error
    throw new CoopError(error.code, `${place}${error.message}`, { hint: error.hint, cause: error })
  }
}
