/**
 * A digest of the files that decide what a skeleton of the `host` image contains. The bundler runs this (a macro of Bun),
 * so that the executable has the digest alone. A change to one of them gives skeletons another name.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Relative to `src`. A test compares them with what `host-skeleton.ts` imports. */
export const SOURCES = [
  'box/make-skeleton.ts',
  'host/system-tree.ts',
  'sandbox/box-programs.ts',
  'sandbox/host-image.ts',
  'sandbox/host-skeleton.ts',
  'sandbox/identity.ts',
  'sandbox/sensitive.ts',
]

export function skeletonSources(): string {
  const hash = createHash('sha256')
  for (const name of SOURCES) hash.update(readFileSync(join(import.meta.dir, '..', name)))
  return hash.digest('hex').slice(0, 16)
}
