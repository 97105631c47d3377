/** The events that tell what an agent is doing. Pure. */
import type { CoopEvent } from '../protocol/events.ts'
import { type Activity, needsUser } from '../terminal/activity.ts'

export function activityEvents(
  box: string,
  before: Activity | undefined,
  now: Activity | undefined,
): readonly CoopEvent[] {
  const text = now?.text === undefined ? {} : { text: now.text }
  const agent = { event: 'agent', box, state: now?.state ?? 'running', ...text } as const
  const waiting = needsUser(now)
  if (!waiting && !needsUser(before)) return [agent]
  return [agent, { event: 'waiting', box, waiting, ...(waiting ? text : {}) }]
}
