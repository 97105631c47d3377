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
