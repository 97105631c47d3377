/**
 * The manifest of a box: `box.json`, written before anything of the box exists and whenever its state
 * changes, so that a daemon that starts finds every box (atomic: temporary name, sync, rename).
 */

import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../core/errno.ts'
import { boxDir, boxesDir, manifestFile, type Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { boxManifest, type Manifest } from './box-manifest.ts'
import { type Found, readStored, stamp } from './kind.ts'

export type {
  BoxFlags,
  BoxState,
  CommandRecord,
  FrozenRecord,
  Manifest,
  PtyRecord,
  PtyState,
} from './box-manifest.ts'

export function writeManifest(paths: Paths, manifest: Manifest): void {
  // No box outlives a power cut, so only what a stopped one needs has to reach the disk.
  const sync = manifest.kind === 'agent' && manifest.state !== 'running'
  writeAtomically(manifestFile(paths, manifest.name), stamp(boxManifest, manifest), { sync })
}

export interface FoundManifest {
  readonly name: string
  readonly manifest: Found<Manifest>
  /** What is in the file; empty when that cannot be read. */
  readonly text: string
}

/** Every box that left a folder. */
export function findManifests(paths: Paths): FoundManifest[] {
  let names: string[]
  try {
    names = readdirSync(boxesDir(paths))
  } catch {
    return [] // no box was ever made
  }
  return names.map((name): FoundManifest => {
    let text: string
    try {
      bringBack(paths, name)
      text = readFileSync(manifestFile(paths, name), 'utf8')
    } catch (error) {
      const is = errnoOf(error) === 'ENOENT' ? 'missing' : 'unreadable'
      return { name, manifest: { is }, text: '' }
    }
    const manifest = readStored(boxManifest, text)
    // A copy of another box's.
    const isForeign = manifest.is === 'readable' && manifest.value.name !== name
    return { name, manifest: isForeign ? { is: 'unreadable' } : manifest, text }
  })
}

/** 0.1.0 renamed a manifest that it could not read: we may be able to. */
function bringBack(paths: Paths, name: string): void {
  const aside = join(boxDir(paths, name), 'box.json.unreadable')
  if (existsSync(aside) && !existsSync(manifestFile(paths, name)))
    renameSync(aside, manifestFile(paths, name))
}
