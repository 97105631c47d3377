/** Builds the image of a project, with its setup steps. */
import { askWorker } from '../../client/image-worker.ts'
import { CoopError } from '../../core/errors.ts'
import type { BoxOptions } from '../../protocol/shapes/values.ts'
import type { Built, WorkerEvent } from '../../protocol/worker-calls.ts'
import { ImageProgress } from './image-progress.ts'
import { Messages } from './messages.ts'
import { counted } from './output.ts'
import { trusting } from './trusting.ts'

export interface BuildOptions {
  readonly quiet: boolean
  readonly noCache: boolean
  readonly pull: boolean
  /** Accepts everything that the project asks for. */
  readonly trust: boolean
}

/** Builds the image that a box with these options starts from. Progress and the steps' output go to stderr. */
export async function buildImage(
  box: BoxOptions,
  { quiet, noCache, pull, trust }: BuildOptions,
): Promise<Built> {
  const messages = new Messages(quiet)
  const progress = new ImageProgress(messages)
  const { workspace, environment, image, network } = box
  const overrides = {
    ...(image === undefined ? {} : { image }),
    ...(network === undefined ? {} : { network }),
  }
  const build = { workspace, environment, overrides, noCache, pull }
  let step = 0
  const onEvent = (event: WorkerEvent): void => {
    if (event.event === 'step') {
      progress.end() // the image is there
      step = event.number
      const state = event.cached ? ' (cached)' : ''
      messages.step(`step ${event.number}/${event.of}${state}:`, event.text)
    } else if (event.event === 'output') messages.output(event.text)
    else progress.event(event)
  }
  const work = () => askWorker('image.build', build, onEvent)
  const result = await trusting(trust, work)
    .catch((error) => {
      throw step && isInterrupted(error) ? interruptedIn(step, noCache) : error
    })
    .finally(() => progress.end())
  const { reference, steps, cached } = result
  const parts = [counted(steps, 'step'), ...(cached ? [`${cached} cached`] : [])]
  messages.done(steps ? `Built ${reference}: ${parts.join(', ')}.` : 'Nothing to build: no setup steps.')
  return result
}

const isInterrupted = (error: unknown): boolean =>
  error instanceof CoopError && error.code === 'E_INTERRUPTED'

const interruptedIn = (step: number, noCache: boolean): CoopError =>
  new CoopError('E_INTERRUPTED', `the build was interrupted in step ${step}`, {
    hint: noCache
      ? 'run every step again: coop build --no-cache; the steps that were built are kept'
      : `continue with step ${step}: coop build; the image and the steps before are kept`,
  })
