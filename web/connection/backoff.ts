/** How long to wait before the next attempt to connect. Pure. */

const FIRST_MS = 250
const MOST_MS = 8_000 // a person who waits looks at the page now and then
const SPREAD = 0.3 // so that many pages do not come back in the same moment

/** Returns the milliseconds before attempt `attempt` (from 0). `random` is from 0 to 1. */
export function delayBefore(attempt: number, random: number): number {
  const delay = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
  return Math.round(delay * (1 - SPREAD / 2 + SPREAD * random))
}
