/**
 * For the caller of `coop run` its box has ended with the command, but the kernel takes some 10 ms to end its processes
 * and mounts. The caller is not kept waiting for that: whoever looks next is.
 */
import type { Box } from '../box/box.ts'

const LEAVE_MS = 5_000 // for a process or a mount on a disk that hangs; then the box is shown as ending

/** Waits until boxes that nobody can use any more are gone: all of them, or the one with the name. */
export async function left(boxes: readonly Box[], name?: string): Promise<void> {
  const leaving = boxes.filter((box) => box.leaving && (name === undefined || box.name === name))
  if (!leaving.length) return
  const gone = Promise.all(leaving.map((box) => box.end({ force: true })))
  await Promise.race([gone, Bun.sleep(LEAVE_MS)])
}
