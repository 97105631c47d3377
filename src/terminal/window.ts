/** Which size a terminal gets that several clients look at. Pure. */
import type { WindowSize } from '../core/window-size.ts'
import { MAX_COLUMNS, MAX_ROWS } from '../screen/limits.ts'

const ACTIVE_MS = 10 * 60_000 // a window that nobody has used for that long does not keep the others small

export interface Viewer {
  /** Undefined when the window does not count: hidden, or only watching. */
  readonly size: WindowSize | undefined
  /** When somebody last typed in it, resized it or came, in milliseconds since 1970. */
  readonly active: number
}

/** The largest size that fits into every window in use; undefined when no window counts. */
export function commonSize(viewers: Iterable<Viewer>, now: number): WindowSize | undefined {
  const counting = [...viewers].flatMap(({ size, active }) => (size ? [{ size, active }] : []))
  const used = counting.filter(({ active }) => now - active < ACTIVE_MS)
  const sizes = (used.length ? used : counting).map(({ size }) => size)
  if (!sizes.length) return undefined
  return boundedSize({
    columns: Math.min(...sizes.map((size) => size.columns)),
    rows: Math.min(...sizes.map((size) => size.rows)),
  })
}

/** The same within what an emulator is made for. Programs of a box can give their terminal any size, too. */
export function boundedSize({ columns, rows }: WindowSize): WindowSize {
  return { columns: Math.max(2, Math.min(columns, MAX_COLUMNS)), rows: Math.max(1, Math.min(rows, MAX_ROWS)) }
}

/** Whether nothing that was visible is cut off. */
export function isLarger(size: WindowSize, than: WindowSize): boolean {
  return size.columns >= than.columns && size.rows >= than.rows
}
