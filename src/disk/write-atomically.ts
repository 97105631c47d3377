/** Files that are the old one or the new one, and never a part of either. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Write a file so that a reader sees the old or the new one, for its owner only; with `sync` a power cut loses neither.
 * Its folder is there already. Raises what node:fs raises, and leaves the old one then.
 */
export function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { sync }: { readonly sync: boolean },
): void {
  // A name of its own for each writer: two processes may write the record of one image.
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.tmp`)
  try {
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(fd, content) // all of it or an error: one write(2) to a disk that gets full takes a part
      if (sync) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
