/** A box for coop's own work. Its init listens for no later daemon, so it ends with the process that made it. */
import type { Channel } from '../../ffi/channel.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { writeIdMaps } from '../container/clone.ts'
import { prepareMounts } from '../container/detached-mounts.ts'
import { setupBatch } from '../container/setup-batch.ts'
import { CoopError } from '../core/errors.ts'
import { boxDir, type Paths } from '../core/paths.ts'
import { type HostFacts, sourceOf } from '../host/facts.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { makeBoxFolder, prepareStore } from '../store/storage.ts'

/**
 * Turns a new init into the box of the plan. Its files are in the data folder of `paths`. Rejects with a BatchError.
 */
export async function makeBareBox(
  { channel, pid, host }: { readonly channel: Channel; readonly pid: number; readonly host: HostFacts },
  paths: Paths,
  plan: Plan,
): Promise<void> {
  await writeIdMaps(pid, plan.ids, host)
  makeBoxFolder(paths, plan.name)
  prepareStore(paths, plan)
  const store = sourceOf(boxDir(paths, plan.name), 'box')
  if (!store) throw new CoopError('E_FAILED', 'the folder of the box is gone')
  const prepared = plan.ids.kind === 'root' ? prepareMounts(plan, store, pid) : new Map<Source, number>()
  try {
    await channel.run(setupBatch({ plan, store, prepared, homeFiles: {} }))
  } finally {
    for (const fd of prepared.values()) closeDescriptor(fd)
  }
}

/** Returns the plan of the image alone: without the workspace and all other mounts. */
export const withoutMounts = (plan: Plan): Plan => ({
  ...plan,
  steps: plan.steps.filter((step) => step.do !== 'bind'),
})
