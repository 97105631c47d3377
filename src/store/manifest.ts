/**
 * The manifest of a box: `box.json`. It is written before anything of the box exists and at each change of its state,
 * so that a new daemon finds every box (atomic: temporary name, sync, rename).
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
  // No box outlives a power cut, so only the data that a stopped box needs must reach the disk.
  const sync = manifest.kind === 'agent' && manifest.state !== 'running'
  writeAtomically(manifestFile(paths, manifest.name), stamp(boxManifest, manifest), { sync })
}

export interface FoundManifest {
  readonly name: string
  readonly manifest: Found<Manifest>
  /** The file's text; empty if it cannot be read. */
  readonly text: string
}

/** Every box with a folder. */
export function findManifests(paths: Paths): FoundManifest[] {
  let names: string[]
  try {
    names = readdirSync(boxesDir(paths))
  } catch {
    return [] // there has never been a box
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
    // A copy of another box's manifest.
    const isForeign = manifest.is === 'readable' && manifest.value.name !== name
    return { name, manifest: isForeign ? { is: 'unreadable' } : manifest, text }
  })
}

/** 0.1.0 renamed manifests that it could not read; this release may be able to read them. */
function bringBack(paths: Paths, name: string): void {
  const aside = join(boxDir(paths, name), 'box.json.unreadable')
  if (existsSync(aside) && !existsSync(manifestFile(paths, name)))
    renameSync(aside, manifestFile(paths, name))
}
