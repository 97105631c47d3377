/** Chooses the size of a terminal that several clients look at. Pure. */
import type { WindowSize } from '../core/window-size.ts'
import { MAX_COLUMNS, MAX_ROWS } from '../screen/limits.ts'

const ACTIVE_MS = 10 * 60_000 // a window unused for so long does not keep the others small

export interface Viewer {
  /** Undefined if the window does not count: it is hidden, or only watches. */
  readonly size: WindowSize | undefined
  /** The last time of input, resizing or attaching in it, in milliseconds since 1970. */
  readonly active: number
}

/** The largest size that fits into every window in use; undefined when no window counts. */
export function commonSize(viewers: Iterable<Viewer>, now: number): WindowSize | undefined {
  const counting = [...viewers].flatMap(({ size, active }) => (size ? [{ size, active }] : []))
  const used = counting.filter(({ active }) => now - active < ACTIVE_MS)
  const sizes = (used.length ? used : counting).map(({ size }) => size)
  if (!sizes.length) return undefined
  const common = boundedSize({
    columns: Math.min(...sizes.map((size) => size.columns)),
    rows: Math.min(...sizes.map((size) => size.rows)),
  })
  const [first] = sizes
  const shows = sizes.find(({ columns, rows }) => columns === common.columns && rows === common.rows)
  return shows ? boundedSize(shows) : { ...common, ...scaled(first, common) }
}

/** The pixels of a part of a window. */
function scaled(window: WindowSize | undefined, { columns, rows }: WindowSize): Partial<WindowSize> {
  if (!window?.width || !window.height) return {}
  return {
    width: Math.floor(window.width / window.columns) * columns,
    height: Math.floor(window.height / window.rows) * rows,
  }
}

/** Whether nothing has changed, also not the size of a character. */
export const isSame = (a: WindowSize, b: WindowSize): boolean =>
  a.columns === b.columns && a.rows === b.rows && a.width === b.width && a.height === b.height

/** The same size within the emulator's limits. Programs of a box can set any size for their terminal, too. */
export function boundedSize({ columns, rows, width, height }: WindowSize): WindowSize {
  const pixels = width && height ? { width, height } : {}
  return {
    columns: Math.max(2, Math.min(columns, MAX_COLUMNS)),
    rows: Math.max(1, Math.min(rows, MAX_ROWS)),
    ...pixels,
  }
}

/** Whether nothing that was visible is cut off. */
export function isLarger(size: WindowSize, than: WindowSize): boolean {
  return size.columns >= than.columns && size.rows >= than.rows
}
