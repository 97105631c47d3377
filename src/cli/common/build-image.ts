/** Builds the image of a project, with its setup steps. */
import { askWorker } from '../../client/image-worker.ts'
import { CoopError } from '../../core/errors.ts'
import type { BoxOptions } from '../../protocol/shapes/values.ts'
import type { Built, WorkerEvent } from '../../protocol/worker-calls.ts'
import { ImageProgress } from './image-progress.ts'
import { counted, isTerminal, paint, printable, printError } from './output.ts'
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
  const progress = new ImageProgress(isTerminal(2), quiet)
  const { workspace, environment, image, network } = box
  const overrides = {
    ...(image === undefined ? {} : { image }),
    ...(network === undefined ? {} : { network }),
  }
  const build = { workspace, environment, overrides, noCache, pull }
  let step = 0
  const onEvent = (event: WorkerEvent): void => {
    if (event.event === 'step') step = event.number
    if (event.event !== 'step' && event.event !== 'output') progress.event(event)
    else if (quiet) return
    else if (event.event === 'step') {
      const state = event.cached ? ' (built before)' : ''
      const head = paint('bold', `step ${event.number}/${event.of}${state}:`, 2)
      printError(`${head} ${printable(event.text)}\n`)
    } else printError(shown(event.text))
  }
  const work = () => askWorker('image.build', build, onEvent)
  const result = await trusting(trust, work).catch((error) => {
    throw step && isInterrupted(error) ? interruptedIn(step, noCache) : error
  })
  const { reference, steps, cached } = result
  if (!quiet) printError(`built ${printable(reference)}: ${counted(steps, 'step')}, ${cached} built before\n`)
  return result
}

const isInterrupted = (error: unknown): boolean =>
  error instanceof CoopError && error.code === 'E_INTERRUPTED'

const interruptedIn = (step: number, noCache: boolean): CoopError =>
  new CoopError('E_INTERRUPTED', `the build was interrupted in step ${step}`, {
    hint: noCache
      ? 'run every step again: coop build --no-cache; the steps that were built are kept'
      : `coop build goes on with step ${step}; the image and the steps before are kept`,
  })

/** Output of a step: lines, and nothing else that a terminal would act on. */
const shown = (text: string): string =>
  text.replace(/[^\n]+/g, (line) => printable(lastOf(line).replaceAll('\t', '  ')))

/** What a terminal would show of a line in the end: progress goes back to its beginning. */
const lastOf = (line: string): string => line.replace(/\r+$/, '').replace(/^.*\r/s, '')
