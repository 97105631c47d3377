/**
 * `coop build`: pulls the image, and makes each step of `setup` a layer on top. A step runs as root of a box of its
 * own. The box's own files then become the layer: they already have the form that overlayfs needs.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withoutMounts } from '../box/bare-box.ts'
import { growSkeleton, isComplete } from '../box/make-skeleton.ts'
import { makeReady } from '../box/ready.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { buildReference, failedReference, stepIds } from '../image/steps.ts'
import { imageReference } from '../plan/image-layers.ts'
import { type BoxRequest, examine, prepareBox } from '../plan/prepare.ts'
import { skeletonOf } from '../plan/skeleton.ts'
import { refuse } from '../plan/trust.ts'
import { sensitiveFacts, workspaceSource } from '../plan/workspace.ts'
import { writableOnDisk } from '../plan/writable.ts'
import type { BuildRequest, Built } from '../protocol/worker-calls.ts'
import { planIds, singleIdAdvice } from '../sandbox/ids.ts'
import type { Plan } from '../sandbox/plan.ts'
import { writeBuild } from '../store/builds.ts'
import {
  findRecord,
  hasLayer,
  hexOf,
  type ImageRecord,
  type LayerRecord,
  layerDir,
  layerFiles,
  layerLog,
  layersDir,
  markUnsynced,
  printLayer,
  readRecord,
  removeRecord,
  withLock,
  writeRecord,
} from '../store/images.ts'
import { diskError } from '../store/storage.ts'
import { treeSize } from './disk-use.ts'
import { runInBox } from './step-box.ts'
import type { WorkerContext } from './work.ts'

/** Builds. Raises E_IMAGE with the failed step, its exit code, and how to look at its files. */
export async function build(
  context: WorkerContext,
  wanted: BuildRequest,
  pull: (reference: string) => Promise<ImageRecord>,
): Promise<Built> {
  const { paths, host, tell } = context
  const writable = writableOnDisk(paths)
  const workspace = workspaceSource(wanted.workspace, sensitiveFacts(host.home, paths), writable).path
  const request: BoxRequest = {
    name: 'build', // a constant: the hostname gets into the layers, which must be the same each time
    workspace,
    environment: wanted.environment,
    overrides: wanted.overrides,
    command: ['sh'],
    writable,
  }
  const { loaded, open } = examine(request, paths, host)
  refuse(open, workspace) // the image and the steps come from the project
  const { image, setup } = loaded.config.sandbox
  const needsLayers = (): CoopError =>
    new CoopError('E_IMAGE', `sandbox.setup needs an image of layers, not ${image}`, {
      hint: 'set image in [sandbox], for example to "debian:bookworm", or remove setup',
    })
  if (image === 'host' || image.startsWith('rootfs:')) {
    if (setup.length) throw needsLayers()
    prepareBox(request, paths, host) // raises when there is no such folder
    return { reference: image, steps: 0, cached: 0 }
  }
  const ids = planIds(host.ids)
  const reference = imageReference(image, workspace)
  const known = findRecord(paths, reference)
  const whole = known?.layers.every((chain) => hasLayer(paths, ids, chain))
  const base = known && whole && (known.from || !wanted.pull) ? known : await pull(reference)
  if (base.base && setup.length) throw needsLayers()
  const steps = stepIds(base, setup)
  let cached = 0
  for (const [index, id] of steps.entries()) {
    const text = setup[index] ?? ''
    await withLock(
      paths,
      `layer-${hexOf(id)}`,
      () => tell({ event: 'warning', text: 'another coop builds this step' }),
      async () => {
        const there = !wanted.noCache && hasLayer(paths, ids, id)
        tell({ event: 'step', number: index + 1, of: steps.length, text, cached: there })
        if (there) cached++
        else await runStep(context, { request: { ...request, steps: index }, base, ids: steps, index, text })
      },
    )
  }
  writeBuild(paths, workspace, image, steps.at(-1) ?? base.layers.at(-1) ?? '')
  const top = steps.at(-1)
  if (top === undefined) return { reference, steps: 0, cached: 0 }
  const built = buildReference(top)
  const before = cached === steps.length ? readRecord(paths, built) : undefined
  const record = stepRecord(context, { base, workspace, reference: built, steps })
  writeRecord(paths, { ...record, pulled: before?.pulled ?? record.pulled })
  return { reference: built, steps: steps.length, cached }
}

interface StepImage {
  readonly base: ImageRecord
  readonly workspace: string
  readonly reference: string
  readonly steps: readonly string[]
}

function stepRecord({ paths }: WorkerContext, { base, workspace, reference, steps }: StepImage): ImageRecord {
  const others = readRecord(paths, reference)?.built?.workspaces ?? []
  return {
    ...base,
    reference,
    digest: steps.at(-1) ?? base.digest,
    layers: [...base.layers, ...steps],
    pulled: Date.now(),
    from: undefined,
    built: { image: base.reference, workspaces: [...new Set([...others, workspace])].sort() },
  }
}

interface StepInput {
  readonly request: BoxRequest
  readonly base: ImageRecord
  readonly ids: readonly string[]
  readonly index: number
  readonly text: string
}

/**
 * Returns the plan of a step's box: without the workspace and other mounts of the host, which the layer's key does not
 * cover.
 */
async function planOf(request: BoxRequest, context: WorkerContext): Promise<Plan> {
  const { paths, host } = context
  const { plan } = makeReady(() => prepareBox(request, paths, host), paths, host)
  const skeleton = skeletonOf(plan)
  if (skeleton !== undefined && !isComplete(skeleton)) await growSkeleton(host, skeleton) // steps install packages
  return withoutMounts(plan)
}

async function runStep(
  context: WorkerContext,
  { request, base, ids: steps, index, text }: StepInput,
): Promise<void> {
  const { paths, discard } = context
  const ids = planIds(context.host.ids)
  const id = steps[index] ?? ''
  const fresh = join(layersDir(paths, ids), `.tmp-${hexOf(id)}`)
  try {
    await discard(fresh)
    // A data folder of its own hides the box from the daemon, which would adopt it.
    const own: Paths = { ...paths, dataDir: join(fresh, 'box') }
    mkdirSync(own.dataDir, { recursive: true, mode: 0o711 })
    writeFileSync(layerLog(fresh), '', { mode: 0o600 })
    const code = await runInBox(context, {
      paths: own,
      plan: await planOf(request, context),
      text,
      files: layerFiles(fresh),
      log: layerLog(fresh),
    })
    if (code !== 0) {
      const failed = failedReference(id)
      const left = layerDir(paths, ids, failedChain(id))
      await discard(join(fresh, 'box'))
      await discard(left)
      keep(fresh, left)
      const made = [...steps.slice(0, index), failedChain(id)]
      writeRecord(
        paths,
        stepRecord(context, { base, workspace: request.workspace, reference: failed, steps: made }),
      )
      const advice = singleIdAdvice(context.host.ids)
      if (advice) context.tell({ event: 'warning', text: `${advice.sentence}; ${advice.hint}` })
      throw new CoopError('E_IMAGE', `step ${index + 1} of setup ended with ${code}: ${text}`, {
        hint: `read all of its output: ${layerLog(left)}; look at its files: coop run --image ${failed} -- sh`,
      })
    }
    await discard(join(fresh, 'box'))
    const there = layerDir(paths, ids, id)
    await discard(there) // an older build, or a layer hit by a power cut; running boxes keep the old files open
    keep(fresh, there)
    removeRecord(paths, failedReference(id))
  } catch (error) {
    await discard(fresh).catch(() => {})
    throw diskError(error, `the files of step ${index + 1} of setup in ${paths.dataDir}`)
  }

  function keep(from: string, to: string): void {
    const record: LayerRecord = { diffId: '', entries: 0, bytes: treeSize(layerFiles(from)) }
    writeAtomically(join(from, 'layer.json'), printLayer(record), { sync: true })
    markUnsynced(from)
    renameSync(from, to)
  }
}

const failedChain = (step: string): string =>
  `sha256:${new Bun.CryptoHasher('sha256').update(`failed ${step}`).digest('hex')}`
