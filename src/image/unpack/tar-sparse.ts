/** Sparse files of GNU tar: four formats for the parts that have data (GNU tar manual, "Sparse Formats"). Pure. */
import { number } from './tar-header.ts'

/** A part of a file that has data. */
export interface Segment {
  readonly offset: number
  readonly size: number
}

export const MAX_SEGMENTS = 200_000 // in one file; each costs a seek and a write

/** Pairs in the old format's header blocks; `more`: another block follows. */
export function oldSparseBlock(block: Buffer, first: boolean): { segments: Segment[]; more: boolean } {
  const [at, count, more] = first ? [386, 4, 482] : [0, 21, 504]
  const segments: Segment[] = []
  for (let i = 0; i < count; i++) {
    const pair = at + 24 * i
    if (block[pair + 12] === 0 || block[pair + 12] === undefined) break
    segments.push({ offset: number(block, pair, 12), size: number(block, pair + 12, 12) })
  }
  return { segments, more: block[more] === 1 }
}

const decimal = (text: string | undefined): number =>
  text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN

function pairs(numbers: readonly number[]): Segment[] {
  const segments: Segment[] = []
  for (let i = 0; i + 1 < numbers.length; i += 2)
    segments.push({ offset: numbers[i] ?? 0, size: numbers[i + 1] ?? 0 })
  return segments
}

/** Formats 0.0 (repeated keys) and 0.1 (one list), from the records of a pax header in order. */
export function paxSparse(records: readonly (readonly [string, string])[]): Segment[] | undefined {
  const map = records.findLast(([key]) => key === 'GNU.sparse.map')?.[1]
  if (map !== undefined) return pairs(map === '' ? [] : map.split(',').map(decimal))
  const repeated = records.filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
  return repeated.length ? pairs(repeated.map(([, value]) => decimal(value))) : undefined
}

/** Format 1.0: decimal lines before the data. Undefined if more bytes are needed; `size` is the length of the lines. */
export function dataSparse(bytes: Buffer): { segments: Segment[]; size: number } | undefined {
  const numbers: number[] = []
  let at = 0
  let wanted = 1
  while (numbers.length < wanted) {
    const end = bytes.indexOf(10, at)
    if (end < 0) return undefined
    const value = decimal(bytes.toString('latin1', at, end))
    numbers.push(value)
    at = end + 1
    if (numbers.length > 1) continue
    if (!(value <= MAX_SEGMENTS)) return { segments: [{ offset: Number.NaN, size: 0 }], size: at }
    wanted = 1 + 2 * value
  }
  return { segments: pairs(numbers.slice(1)), size: at }
}

/** Whether the segments are in order, without overlaps, inside the file, and as long as the archive's data. */
export function segmentsFit(segments: readonly Segment[], realSize: number, stored: number): boolean {
  let end = 0
  let total = 0
  for (const { offset, size } of segments) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(size) || size < 0 || offset < end) return false
    end = offset + size
    total += size
  }
  return (
    segments.length <= MAX_SEGMENTS && Number.isSafeInteger(realSize) && end <= realSize && total === stored
  )
}
