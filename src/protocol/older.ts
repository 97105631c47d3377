/**
 * Clients of the release before: one that is attached when its daemon is replaced goes on with the new one. Protocol 3 had
 * one terminal for each connection, no channels, and named boxes by name alone.
 */
import { fieldsOf } from './shapes/shapes.ts'

export const OLDEST_PROTOCOL = 3

/** A call of protocol 3 as one of today; anything else stays as it is. */
export function callOfToday(value: unknown, protocol: number): unknown {
  if (protocol > OLDEST_PROTOCOL) return value
  const { do: name, ...call } = fieldsOf(value)
  if (name === 'plan') return { do: 'box.plan', ...call }
  // Snapshots have names of their own, and say their box as today.
  const hasBoxName = typeof call.name === 'string' && !String(name).startsWith('snapshot.')
  if (!hasBoxName) return { do: name, ...call }
  const { name: box, ...rest } = call
  return { do: name, box, cwd: '/', ...rest }
}
