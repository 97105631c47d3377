/** The mounts of a box when root invokes coop: its init has no rights over the host's files. */
import { closeSync, openSync } from 'node:fs'
import { detachedMount } from '../../ffi/mounts.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { planSources } from './setup.ts'

/**
 * Detached mounts of everything that the plan mounts, by path; what belongs to the user has its ids shifted by
 * the map of init's user namespace. The caller owns the descriptors.
 */
export function prepareMounts(plan: Plan, store: Source, init: number): Map<string, number> {
  const mounts = new Map<string, number>()
  const namespace = openSync(`/proc/${init}/ns/user`, 'r')
  try {
    for (const { source, recursive } of [{ source: store, recursive: false }, ...planSources(plan)]) {
      if (mounts.has(source.path)) continue
      const shift = source.owner === 'user' ? namespace : undefined
      mounts.set(source.path, detachedMount(source, recursive, shift))
    }
    return mounts
  } catch (error) {
    for (const fd of mounts.values()) closeDescriptor(fd)
    throw error
  } finally {
    closeSync(namespace)
  }
}
