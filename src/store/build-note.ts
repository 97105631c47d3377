/** The latest build of a workspace (src/store/builds.ts). */
import type { Fields, Kind } from './kind.ts'

export interface BuildNote {
  readonly workspace: string
  /** The name in the configuration. */
  readonly image: string
  /** The id of the topmost layer. */
  readonly top: string
}

function parse({ workspace, image, top }: Fields): BuildNote | undefined {
  if (typeof workspace !== 'string' || typeof image !== 'string' || typeof top !== 'string') return undefined
  return { workspace, image, top }
}

export const buildNote: Kind<BuildNote> = { name: 'build-note', version: 1, migrations: {}, parse }
