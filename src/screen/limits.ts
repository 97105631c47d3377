/**
 * The costs of one terminal, however hostile its program is. In total: with marks, colours and links in each cell and
 * the whole scrollback, 80 MB for 80 by 24 while the emulator is loaded (2 MB for plain text), 1 KB per cell.
 */

/** Columns and rows; the largest real ones (an 8K display with the smallest font) have 960 and 480. */
export const MAX_COLUMNS = 1000
export const MAX_ROWS = 500
/** Cells of screen and scrollback together: 1000 lines of 290 columns. A wider terminal keeps fewer lines. */
const MAX_KEPT_CELLS = 300_000
export const SCROLLBACK_LINES = 1000

/**
 * Marks that join one character, in UTF-16 units. UAX #15 (stream-safe text) ends them after 30, "significantly beyond
 * what is required for any linguistic or technical usage": the longest known has 18, and a region's flag has 6 of two
 * units.
 */
export const MAX_MARKS = 30
/** Characters of an OSC or DCS. The viewers' filter lets no longer one through (src/vt/limits.ts). */
export const MAX_STRING = 8192
/** Different links of one terminal, and characters of all their addresses. */
export const MAX_LINKS = 4096
export const MAX_LINK_TEXT = 1 << 20
/** Cells that one REP fills: at most a screen, the limit of xterm, too. Programs repeat within a line. */
export const MAX_REPEATED = 4096
/** Bytes kept of an unfinished string, for clients that attach in the middle of it. */
export const MAX_PENDING = 1 << 16
/** Characters of a rendered state. True colour in each cell of 1000 lines of 160 columns takes 4 MB. */
export const MAX_RENDERED = 8 << 20
/** Characters of link addresses in a rendered state: two long ones may alternate in every cell. */
export const MAX_RENDERED_LINKS = 1 << 20

/** Lines of scrollback for a terminal of this size. */
export function scrollbackOf(columns: number, rows: number, wanted: number): number {
  return Math.max(0, Math.min(wanted, Math.floor(MAX_KEPT_CELLS / columns) - rows))
}
