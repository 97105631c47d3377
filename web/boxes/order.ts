/** The order and the groups of boxes, and the words for their state. Pure. */
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'

export type Group = 'waiting' | 'running' | 'stopped'

export const GROUPS: readonly { readonly group: Group; readonly title: string }[] = [
  { group: 'waiting', title: 'Waits for you' },
  { group: 'running', title: 'Running' },
  { group: 'stopped', title: 'Stopped' },
]

const AT_REST = new Set(['stopped', 'unknown', 'crashed'])

export function groupOf({ waiting, state }: BoxInfo): Group {
  if (AT_REST.has(state)) return 'stopped'
  return waiting ? 'waiting' : 'running'
}

/** Boxes that wait come first, the longest wait before the others; then the newest. */
export function byUrgency(all: readonly BoxInfo[]): BoxInfo[] {
  const rank = (box: BoxInfo): number => GROUPS.findIndex(({ group }) => group === groupOf(box))
  return all.toSorted((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b)
    if (a.waiting && b.waiting) return a.waiting.since - b.waiting.since
    return b.created - a.created || (a.name < b.name ? -1 : 1)
  })
}

/** `tone` chooses the colour of the dot. */
export interface StateWords {
  readonly word: string
  readonly tone: 'waiting' | 'working' | 'calm' | 'off' | 'bad'
}

/** What a box does, in a word or two. */
export function stateWords({ state, waiting, ptys }: BoxInfo): StateWords {
  if (state === 'blocked') return { word: 'asks you', tone: 'waiting' }
  if (state === 'done') return { word: 'is done', tone: 'waiting' }
  if (waiting || state === 'waiting') return { word: 'waits', tone: 'waiting' }
  if (state === 'working') return { word: 'working', tone: 'working' }
  if (state === 'idle') return { word: 'idle', tone: 'calm' }
  if (state === 'running') return { word: 'running', tone: 'calm' }
  if (state === 'ending') return { word: 'ending…', tone: 'off' }
  if (state === 'stopped') return { word: 'stopped', tone: 'off' }
  if (state === 'unknown') return { word: 'unknown', tone: 'bad' }
  const code = ptys.find(({ id }) => id === 0)?.exitCode
  return { word: code === undefined ? state : `${state} (${code})`, tone: code ? 'bad' : 'off' }
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Returns a span of time in its largest unit: "now", "5m", "3h", "12d". */
export function age(since: number, now: number): string {
  const span = Math.max(0, now - since)
  if (span < MINUTE) return 'now'
  if (span < HOUR) return `${Math.floor(span / MINUTE)}m`
  if (span < DAY) return `${Math.floor(span / HOUR)}h`
  return `${Math.floor(span / DAY)}d`
}

/** The last two names of a path: enough to know a project by. */
export function shortPath(path: string): string {
  const names = path.split('/').filter(Boolean)
  return names.length > 2 ? `…/${names.slice(-2).join('/')}` : path
}

/** "1.2 GB" */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let value = count
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
