/** The latest build of each workspace, so that boxes of an earlier one can be recognized. */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { imagesDir, type Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { buildNote } from './build-note.ts'
import { readable, readStoredFile, stamp } from './kind.ts'

/** `image` is the name in the configuration: a flag may name another image than the project. */
function buildFile(paths: Paths, workspace: string, image: string): string {
  const name = new Bun.CryptoHasher('sha256').update(JSON.stringify([workspace, image])).digest('hex')
  return join(imagesDir(paths), 'builds', `${name}.json`)
}

/** `top`: the id of the topmost layer. */
export function writeBuild(paths: Paths, workspace: string, image: string, top: string): void {
  const file = buildFile(paths, workspace, image)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeAtomically(file, stamp(buildNote, { workspace, image, top }), { sync: true })
}

export function latestBuild(paths: Paths, workspace: string, image: string): string | undefined {
  return readable(readStoredFile(buildNote, buildFile(paths, workspace, image)))?.top // undefined: never built
}
