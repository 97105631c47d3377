/** Things that a plan needs and that do not exist yet. Planning only reads; box/ready.ts makes them. */
import type { SeedFile } from '../agents/seed.ts'
import type { Source } from '../sandbox/plan.ts'

/** One missing thing. Once it is made, the plan is computed again. */
export type Missing =
  | { readonly make: 'skeleton' }
  | {
      readonly make: 'folder'
      /** Names a volume, or a folder kept for a workspace, as `persistentFolder` takes it. */
      readonly key: string
      readonly folder: string
      readonly seed?: (() => readonly SeedFile[]) | undefined
    }

/** A file to write before the box starts, in a folder that outlives boxes. */
export interface Setting {
  readonly folder: string
  readonly path: string
  readonly text: string
}

/** Returns a placeholder for a folder that is going to be made. */
export const futureFolder = (path: string): Source => ({
  path,
  device: { major: 0, minor: 0 },
  inode: 0,
  type: 'folder',
  owner: 'box',
})
