/**
 * What one terminal may cost, however hostile its program is. Together: with marks, colours and links in each cell and
 * the whole scrollback 80 MB for 80 by 24 while the emulator is loaded (2 MB for plain text), 1 KB for a cell.
 */

/** Columns and rows; the largest real ones (an 8K display, the smallest font) have 960 and 480. */
export const MAX_COLUMNS = 1000
export const MAX_ROWS = 500
/** Cells of screen and scrollback together: 1000 lines of 290 columns. A wider terminal keeps fewer lines. */
const MAX_KEPT_CELLS = 300_000
export const SCROLLBACK_LINES = 1000

/**
 * Marks that join one character, in UTF-16 units. UAX #15 (stream-safe text) puts an end to them after 30, "significantly
 * beyond what is required for any linguistic or technical usage": the longest known has 18, a flag of a region 6 of two.
 */
export const MAX_MARKS = 30
/** Characters of an OSC or DCS. The viewers' filter lets no longer one through (src/vt/limits.ts). */
export const MAX_STRING = 8192
/** Different links of one terminal, and characters of all their addresses. */
export const MAX_LINKS = 4096
export const MAX_LINK_TEXT = 1 << 20
/** Cells that one REP fills, at most a screen, where xterm stops, too. Programs repeat within a line. */
export const MAX_REPEATED = 4096
/** Bytes of a string that has begun and has no end yet, kept for those who attach in the middle of it. */
export const MAX_PENDING = 1 << 16
/** Characters of a rendered state. A true colour in each cell of 1000 lines of 160 columns takes 4 MB. */
export const MAX_RENDERED = 8 << 20
/** Characters of addresses of links in a rendered state: two long ones may take turns in every cell. */
export const MAX_RENDERED_LINKS = 1 << 20

/** Lines of scrollback for a terminal of this size. */
export function scrollbackOf(columns: number, rows: number, wanted: number): number {
  return Math.max(0, Math.min(wanted, Math.floor(MAX_KEPT_CELLS / columns) - rows))
}
