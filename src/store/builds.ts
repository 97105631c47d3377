/** The latest build of each workspace, so that boxes of an earlier one can be told. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { imagesDir, type Paths } from '../core/paths.ts'
import { maybeObject, maybeText } from '../image/json.ts'
import { writeWhole } from './images.ts'

/** `image` as the configuration names it: a flag may name another one than the project. */
function buildFile(paths: Paths, workspace: string, image: string): string {
  const name = new Bun.CryptoHasher('sha256').update(JSON.stringify([workspace, image])).digest('hex')
  return join(imagesDir(paths), 'builds', `${name}.json`)
}

/** `top`: the id of the topmost layer. */
export function writeBuild(paths: Paths, workspace: string, image: string, top: string): void {
  writeWhole(buildFile(paths, workspace, image), `${JSON.stringify({ version: 1, workspace, image, top })}\n`)
}

export function latestBuild(paths: Paths, workspace: string, image: string): string | undefined {
  try {
    return maybeText(maybeObject(JSON.parse(readFileSync(buildFile(paths, workspace, image), 'utf8'))).top)
  } catch {
    return undefined // never built
  }
}
