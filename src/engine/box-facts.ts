/** Facts about boxes that the registry asks for. */
import type { Box } from '../box/box.ts'
import { bootId } from '../host/boot.ts'
import type { Manifest } from '../store/manifest.ts'

export const whyGone = ({ init }: Manifest): string =>
  init?.boot === bootId() ? 'its init was killed' : 'the machine was restarted'

/** Whether a box that is not stopped has this folder of the host. */
export const isMounted = (boxes: readonly Box[], folder: string): boolean =>
  boxes.some(
    ({ manifest: { state, plan } }) =>
      state !== 'stopped' && plan.steps.some((step) => step.do === 'bind' && step.source.path === folder),
  )

const MAX_CREATES = 1024 // durations of creations that `system status` reports

/** Adds to the durations of the latest creations, in milliseconds. */
export function noteDuration(creates: number[], ms: number): void {
  creates.push(Math.round(ms * 1000) / 1000)
  if (creates.length > MAX_CREATES) creates.shift()
}
