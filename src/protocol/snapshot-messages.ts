/** The calls of `coop snapshot`. A box is meant as `box.find` means it; one that is gone, by its name. */

import { record } from './fields.ts'
import type { Environment } from './messages.ts'
import { text } from './text.ts'

export interface SnapshotTarget {
  readonly box?: string
  readonly cwd: string
}

export type SnapshotCall =
  | ({
      readonly do: 'snapshot.create'
      readonly name: string
      readonly note?: string
      /** With the files of the workspace; `ignored`: also those that git ignores. */
      readonly workspace: boolean
      readonly ignored: boolean
    } & SnapshotTarget)
  | ({
      readonly do: 'snapshot.restore'
      readonly name: string
      readonly workspace: boolean
      /** Also when files of the workspace are deleted by it. */
      readonly force: boolean
      readonly environment: Environment
    } & SnapshotTarget)
  | ({ readonly do: 'snapshot.list' } & SnapshotTarget)
  | ({ readonly do: 'snapshot.remove'; readonly name: string } & SnapshotTarget)

export interface SnapshotInfo {
  readonly box: string
  readonly name: string
  readonly note?: string
  /** Milliseconds since 1970. */
  readonly created: number
  readonly workspace: string
  readonly image: string
  /** Bytes of the box's files and of the workspace's; without sharing by reflinks. */
  readonly size: number
  /** What of the workspace is in it. */
  readonly files: 'none' | 'repository' | 'with-ignored' | 'folder'
  /** Repositories within the workspace: their files are not in it. */
  readonly leftOut?: readonly string[]
  /** A newer coop made it, or it is damaged: only box, name and age are known, and `note` says why. */
  readonly unknown?: true
}

const MAX_NOTE = 4096 // characters

/** Undefined for a call that is none of these; throws for one that is malformed. */
export function snapshotCall(it: Readonly<Record<string, unknown>>): SnapshotCall | undefined {
  const target = (): SnapshotTarget => ({
    cwd: text(it.cwd),
    ...(it.box === undefined ? {} : { box: text(it.box) }),
  })
  switch (it.do) {
    case 'snapshot.create':
      return {
        do: it.do,
        name: text(it.name),
        ...(it.note === undefined ? {} : { note: text(it.note, MAX_NOTE) }),
        workspace: it.workspace === true,
        ignored: it.ignored === true,
        ...target(),
      }
    case 'snapshot.restore':
      return {
        do: it.do,
        name: text(it.name),
        workspace: it.workspace === true,
        force: it.force === true,
        environment: record(it.environment),
        ...target(),
      }
    case 'snapshot.list':
      return { do: it.do, ...target() }
    case 'snapshot.remove':
      return { do: it.do, name: text(it.name), ...target() }
    default:
      return undefined
  }
}
