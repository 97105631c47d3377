/** Prints the worker's warnings, for commands that show nothing else of its work. */
import type { WorkerEvent } from '../../protocol/worker-calls.ts'
import { printWarnings } from './output.ts'

export function warn(event: WorkerEvent): void {
  if (event.event === 'warning') printWarnings([event.text])
}
