/** Setup steps as layers: each is known by what lies below it and by its text. Pure. */

/** What of an image a step can see. */
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

/** The name under which a finished build is kept, so that it is listed and can be removed. */
export const buildReference = (top: string): string =>
  `localhost/coop-build:${top.slice('sha256:'.length).slice(0, 16)}`
/** What a failed step left, to look at. */
export const failedReference = (step: string): string =>
  `localhost/coop-failed:${step.slice('sha256:'.length).slice(0, 16)}`
