/**
 * Buffers that were used are garbage, which the collector sees late: it counts little of what lies outside of its heap.
 * Told of each, memory stays the same however large the image is.
 */
const COLLECT_EVERY = 6 << 20 // bytes; with 12 MB the peak is some 10 MB higher, with 3 as much lower

let bytes = 0

/** So many bytes of buffers are not needed any more. */
export function spent(count: number): void {
  bytes += count
  if (bytes < COLLECT_EVERY) return
  bytes = 0
  Bun.gc(true)
}
