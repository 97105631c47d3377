/** What modules that work on the files of boxes share. */
import type { BoxContext } from '../box/context.ts'
import type { Registry } from './registry.ts'

export interface Engine {
  readonly registry: Registry
  readonly context: BoxContext
  /** Deletes soon what was thrown away. */
  clean(): void
}
