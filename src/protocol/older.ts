/**
 * Serves clients of the release before, which stay attached when their daemon is replaced. Protocol 3 had one terminal
 * for each connection, no channels, and named boxes by name alone.
 */
import { fieldsOf } from './shapes/shapes.ts'

export const OLDEST_PROTOCOL = 3

/** Translates a call of protocol 3 into one of today; leaves other values as they are. */
export function callOfToday(value: unknown, protocol: number): unknown {
  if (protocol > OLDEST_PROTOCOL) return value
  const { do: name, ...call } = fieldsOf(value)
  if (name === 'plan') return { do: 'box.plan', ...call }
  // Calls about snapshots have a name of their own, and name their box as today.
  const hasBoxName = typeof call.name === 'string' && !String(name).startsWith('snapshot.')
  if (!hasBoxName) return { do: name, ...call }
  const { name: box, ...rest } = call
  return { do: name, box, cwd: '/', ...rest }
}
