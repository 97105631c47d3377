/** Prints the worker's warnings, for commands that show nothing else of its work. */
import type { WorkerEvent } from '../../protocol/worker-calls.ts'
import { Messages } from './messages.ts'

/** Prints its warnings as they come. */
export function warnings(): (event: WorkerEvent) => void {
  const messages = new Messages(true)
  return (event) => {
    if (event.event === 'warning') messages.warn(event.text)
  }
}
