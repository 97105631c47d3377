/** Setup steps as layers: the layers below and the step's text identify each one. Pure. */

/** The parts of an image that a step can see. */
interface Below {
  readonly layers: readonly string[]
  readonly config: { readonly env: readonly string[] }
}

/** Ids of the layers of `steps` on top of an image, in order. A step sees the image's files and its variables. */
export function stepIds({ layers, config }: Below, steps: readonly string[]): string[] {
  const below = JSON.stringify([layers.at(-1) ?? '', config.env])
  const ids: string[] = []
  for (const step of steps) {
    const text = JSON.stringify(['coop setup step', ids.at(-1) ?? below, step])
    ids.push(`sha256:${new Bun.CryptoHasher('sha256').update(text).digest('hex')}`)
  }
  return ids
}

/** The name under which a finished build is stored, so that it is listed and can be removed. */
export const buildReference = (top: string): string =>
  `localhost/coop-build:${top.slice('sha256:'.length).slice(0, 16)}`
/** The name of a failed step's files, for inspection. */
export const failedReference = (step: string): string =>
  `localhost/coop-failed:${step.slice('sha256:'.length).slice(0, 16)}`
