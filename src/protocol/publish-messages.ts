/** The call of `coop image publish`. */
import { text } from './text.ts'

export interface PublishCall {
  readonly do: 'image.publish'
  /** A box by name or workspace path; a snapshot as `BOX/NAME`, or by its name alone. */
  readonly source: string
  readonly cwd: string
  /** The image's reference in full. */
  readonly reference: string
  /** Also when there is an image of that name. */
  readonly force: boolean
}

export interface Published {
  readonly reference: string
  /** What it was made of, for people: `the box app`, `the snapshot app/green`. */
  readonly of: string
  /** Bytes of the new layer. */
  readonly size: number
}

/** Undefined for another call; throws for one that is malformed. */
export function publishCall(it: Readonly<Record<string, unknown>>): PublishCall | undefined {
  if (it.do !== 'image.publish') return undefined
  return {
    do: it.do,
    source: text(it.source),
    cwd: text(it.cwd),
    reference: text(it.reference),
    force: it.force === true,
  }
}
