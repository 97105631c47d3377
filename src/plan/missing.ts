/** What a plan counts on and does not make itself: planning reads only. Made by box/ready.ts. */
import type { SeedFile } from '../agents/seed.ts'
import type { Skeleton } from '../sandbox/host-image.ts'
import type { Source } from '../sandbox/plan.ts'

/** Something that is not there yet. Once it is made, the plan is made anew. */
export type Missing =
  | { readonly make: 'skeleton'; readonly skeleton: Skeleton }
  | {
      readonly make: 'folder'
      /** A volume, or a folder that is kept for a workspace: the names that `persistentFolder` takes. */
      readonly key: string
      readonly folder: string
      readonly seed?: (() => readonly SeedFile[]) | undefined
    }

/** A file in a folder that outlives boxes, to be written before the box starts. */
export interface Setting {
  readonly folder: string
  readonly path: string
  readonly text: string
}

/** Stands for a folder that is going to be made. */
export const futureFolder = (path: string): Source => ({
  path,
  device: { major: 0, minor: 0 },
  inode: 0,
  type: 'folder',
  owner: 'box',
})
