/** What agents put in front of their titles: Codex 0.171, Claude Code 2.1 and Gemini CLI 0.61. Pure. */

export type TitleState = 'idle' | 'working' | 'blocked'

/** Codex blinks between the two brackets; Gemini has a hand. */
const BLOCKED = /^(?:\[ [!.] \]|\u270b)\s+Action Required/
/** Spinners: braille (Codex, older Claude Code), a turning circle (Claude Code), a star with its word (Gemini). */
const WORKING = /^(?:[\u2801-\u28ff\u25d0-\u25d3]\s|\u2726\s+Working)/
/** Gemini's. Claude Code's star means only that it does not work: it is also there while it asks. */
const IDLE = /^\u25c7\s+Ready/

/** Undefined for a title that says nothing about it. */
export function titleState(title: string): TitleState | undefined {
  if (BLOCKED.test(title)) return 'blocked'
  if (WORKING.test(title)) return 'working'
  return IDLE.test(title) ? 'idle' : undefined
}
