/**
 * Fills a new volume with the image's files at its mount point: once, before its first box starts, and whole or not at
 * all. A volume is marked when it is made; two boxes that want it wait for each other.
 */
import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { bear } from '../container/clone.ts'
import { setupError } from '../container/setup-error.ts'
import { type Paths, seedingDir, unseededFile, volumesDir } from '../core/paths.ts'
import type { Plan } from '../sandbox/plan.ts'
import { withLock } from '../store/images.ts'
import { newerError, readStoredFile } from '../store/kind.ts'
import { volumeMark } from '../store/marks.ts'
import { discard, makeOwned } from '../store/storage.ts'
import { becomeRoot } from '../trees/copier.ts'
import { type CopyOptions, TreeCopy } from '../trees/tree-copy.ts'
import { makeBareBox, withoutMounts } from './bare-box.ts'
import type { BoxContext } from './context.ts'

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const NOBODY = 65_534 // the kernel shows owners without an id in the box as this (user_namespaces(7))

interface Volume {
  readonly name: string
  readonly path: string
  /** The mount point in the box. */
  readonly at: string
}

/** Returns whether a volume is marked. Raises E_NEWER for a newer release's mark: the volume may be half seeded. */
function isUnseeded(paths: Paths, name: string): boolean {
  const mark = readStoredFile(volumeMark, unseededFile(paths, name))
  if (mark.is === 'newer') throw newerError(`the mark of the volume ${name}`, mark)
  return mark.is !== 'missing'
}

function unseeded(plan: Plan, paths: Paths): Volume[] {
  return plan.steps.flatMap((step) => {
    if (step.do !== 'bind' || dirname(step.source.path) !== volumesDir(paths)) return []
    const name = basename(step.source.path)
    return isUnseeded(paths, name) ? [{ name, path: step.source.path, at: step.at }] : []
  })
}

/** Seeds new volumes. Returns whether it replaced folders of the plan, which must then be computed again. */
export async function seedVolumes(
  context: Pick<BoxContext, 'paths' | 'host' | 'zygote'>,
  plan: Plan,
): Promise<boolean> {
  const { paths } = context
  const volumes = unseeded(plan, paths)
  for (const volume of volumes)
    await withLock(
      paths,
      `volume-${volume.name}`,
      () => {},
      async () => {
        if (isUnseeded(paths, volume.name)) await seed(context, plan, volume)
      },
    )
  return volumes.length > 0
}

async function seed(
  { paths, host, zygote }: Pick<BoxContext, 'paths' | 'host' | 'zygote'>,
  plan: Plan,
  { name, path, at }: Volume,
): Promise<void> {
  const work = join(seedingDir(paths), crypto.randomUUID())
  const fresh = join(work, 'files')
  const { channel, init } = await bear({ network: plan.network, zygote, events: {} })
  try {
    mkdirSync(work, { recursive: true, mode: 0o711 })
    makeOwned(fresh, plan.ids)
    const image = withoutMounts({ ...plan, name: 'seed' })
    await makeBareBox({ channel, pid: init.pid, host }, { ...paths, dataDir: work }, image)
    await becomeRoot(channel, plan.ids, host.hardLimits.openFiles)
    const to = openSync(fresh, FOLDER)
    try {
      await new TreeCopy(channel, optionsOf(plan)).copyFrom(at, to)
    } finally {
      closeSync(to)
    }
    discard(paths, path)
    renameSync(fresh, path)
    rmSync(unseededFile(paths, name), { force: true })
  } catch (error) {
    throw setupError(error, plan)
  } finally {
    channel.close()
    discard(paths, work)
  }
}

/**
 * Returns how to copy: host files that the box may not read are left out; files of ids outside the box become root's.
 */
function optionsOf({ ids, steps }: Plan): CopyOptions {
  const isHost = steps.some((step) => step.do === 'overlay')
  return {
    owner: (id) => (ids.kind === 'single' || (isHost && id === NOBODY) ? 0 : id),
    skipClosed: true,
  }
}
