/** The mounts of a box if root invokes coop: its init then has no rights over the host's files. */
import { closeSync, openSync } from 'node:fs'
import { detachedMount } from '../../ffi/mounts.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { planSources } from './setup-batch.ts'

/**
 * Detached mounts of everything that the plan mounts. The map of init's user namespace shifts the ids of the user's
 * files. Each place gets a mount of its own, even if a path is mounted twice: a detached mount can be attached only
 * once, and would be moved after that. The caller owns the descriptors.
 */
export function prepareMounts(plan: Plan, store: Source, init: number): Map<Source, number> {
  const mounts = new Map<Source, number>()
  const namespace = openSync(`/proc/${init}/ns/user`, 'r')
  try {
    for (const { source, recursive } of [{ source: store, recursive: false }, ...planSources(plan)]) {
      if (mounts.has(source)) continue
      const shift = source.owner === 'user' ? namespace : undefined
      mounts.set(source, detachedMount(source, recursive, shift))
    }
    return mounts
  } catch (error) {
    for (const fd of mounts.values()) closeDescriptor(fd)
    throw error
  } finally {
    closeSync(namespace)
  }
}
