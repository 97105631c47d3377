import type { Watcher } from '../../ffi/watcher.ts'
import type { Processes } from '../container/processes.ts'
import type { CoopEvent } from '../protocol/events.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Activity } from '../terminal/activity.ts'

/** The parts of a box that its terminals need. */
export interface Host {
  readonly manifest: Manifest
  readonly ending: boolean
  readonly processes: Processes
  readonly watcher: Watcher
  readonly runtimeDir: string
  update(change: Partial<Manifest>): void
  /** Called when the agent does something else now, or says something else. */
  does(activity: Activity | undefined): void
  log(event: string, fields: Readonly<Record<string, unknown>>): void
  emit(event: CoopEvent): void
}
