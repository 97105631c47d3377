/** Decides when an agent that ended is started again, and when coop gives up. Pure. */

export const CRASH_WINDOW_MS = 10_000 // five ends in it mean a crash loop
export const CRASH_ENDS = 5

/** The ends that still count, including the newest. */
export function recentEnds(ends: readonly number[], now: number): number[] {
  return [...ends.filter((end) => now - end < CRASH_WINDOW_MS), now].slice(-CRASH_ENDS)
}

export function isCrashLoop(ends: readonly number[]): boolean {
  return ends.length >= CRASH_ENDS
}
