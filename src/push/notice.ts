/** What a notice says. Pure; the daemon, the page and its service worker share it. */

/** A notice on its way to a browser. It holds the agent's own words and no other text of the box. */
export interface Notice {
  readonly box: string
  /** The agent's name, for people. */
  readonly agent: string
  readonly state: 'blocked' | 'done' | 'waiting'
  /** When it began to wait, in milliseconds since 1970. */
  readonly since: number
  readonly text?: string
}

const MAX_TEXT = 200 // characters; a notification shows fewer
const MAX_NAME = 64 // characters
const STATES = ['blocked', 'done', 'waiting'] as const
/** Controls, unassigned and private characters, and marks that turn the direction of text. */
const UNSEEMLY = /[\p{C}\u2028\u2029]/gu

/** One line of plain text. */
export function plainLine(text: string, max = MAX_TEXT): string {
  const line = text
    .slice(0, 4 * max)
    .replace(/\s+/gu, ' ')
    .replace(UNSEEMLY, '')
    .trim()
  const all = [...line]
  return all.length <= max ? line : `${all.slice(0, max - 1).join('')}…`
}

export function noticeOf(notice: Notice): Notice {
  const { box, agent, state, since } = notice
  const text = plainLine(notice.text ?? '')
  return {
    box: plainLine(box, MAX_NAME),
    agent: plainLine(agent, MAX_NAME) || 'the agent',
    state,
    since,
    ...(text ? { text } : {}),
  }
}

/** Reads a notice that came by a push service. Undefined for what is none. */
export function parseNotice(json: string): Notice | undefined {
  try {
    const it = JSON.parse(json) as Readonly<Record<string, unknown>> | null
    const state = STATES.find((one) => one === it?.state)
    if (!it || !state || typeof it.box !== 'string' || !it.box || typeof it.since !== 'number')
      return undefined
    const agent = typeof it.agent === 'string' ? it.agent : ''
    const text = typeof it.text === 'string' ? { text: it.text } : {}
    return noticeOf({ box: it.box, agent, state, since: it.since, ...text })
  } catch {
    return undefined
  }
}

/** The title of a notification. */
export function titleOf({ box, agent, state }: Notice): string {
  if (state === 'blocked') return `${agent} asks in ${box}`
  if (state === 'done') return `${agent} is done in ${box}`
  return `${agent} waits in ${box}`
}

/** Its text, if the agent said nothing itself. */
export const bodyOf = ({ text, state }: Notice): string =>
  text ?? (state === 'done' ? 'Look at what it has done.' : 'It waits for your answer.')

/** Of two notices with the same tag a browser keeps the newer one. */
export const tagOf = (box: string): string => `box:${box}`
