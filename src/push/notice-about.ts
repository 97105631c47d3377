/** What people are told of a box. */
import type { Registry } from '../engine/registry.ts'
import { needsUser } from '../terminal/activity.ts'
import type { Notice } from './notice.ts'

/** Undefined for a box whose agent does not wait, and for one that ends. */
export function noticeAbout(registry: Registry, name: string): Notice | undefined {
  const box = registry.boxes.find((one) => one.name === name)
  if (!box?.running || box.ending) return undefined
  const { agent, doing } = box.manifest
  if (!needsUser(doing)) return undefined
  const { state, since, text } = doing
  if (state === 'idle' || state === 'working') return undefined
  return { box: name, agent: agent.title, state, since, ...(text === undefined ? {} : { text }) }
}
