/**
 * A future box as pure data: made here from configuration and host facts, printed by `coop run --plan`, carried out by
 * `src/container/setup-batch.ts`. Nothing in this folder knows a file descriptor.
 */
import type { IdPlan } from './ids.ts'

/** A file or folder of the host, identified by its inode and not only by its name (somebody may swap a link in). */
export interface Source {
  /** Absolute, without symlinks. */
  readonly path: string
  readonly device: { readonly major: number; readonly minor: number }
  readonly inode: number
  readonly type: 'folder' | 'file'
  /**
   * The owner, which matters if root invokes coop. Files of the `user` are mounted with their ids shifted into the box.
   * Files of the `box` already have its ids. Files of the `system` stay foreign, so that the box can read only those
   * that every user of the machine may read.
   */
  readonly owner: 'user' | 'box' | 'system'
}

export interface BoxLink {
  readonly at: string
  readonly to: string
}

/** One step in the making of the box's tree, in order. Targets are absolute paths inside, resolved in the new root. */
export type Step =
  | { readonly do: 'folder'; readonly at: string; readonly mode: number }
  | { readonly do: 'link'; readonly at: string; readonly to: string }
  /** Conveniences: left out where the box has something else, or where they cannot be made. */
  | { readonly do: 'links'; readonly links: readonly BoxLink[] }
  | { readonly do: 'tmpfs'; readonly at: string; readonly mode: number; readonly exec: boolean }
  /** `upper` names the folder below the box's own `upper/` and `work/`. */
  | { readonly do: 'overlay'; readonly at: string; readonly lower: readonly Source[]; readonly upper: string }
  | {
      readonly do: 'bind'
      readonly at: string
      readonly source: Source
      readonly readonly: boolean
      readonly recursive: boolean
      /**
       * Read-only through an overlay of this folder alone. A plain read-only mount does not suffice: connect(2) and
       * opening a fifo for writing ignore it, so the box could talk to programs that listen there.
       */
      readonly sealed?: true
      /** The configured path, made absolute but with its links, so that a changed link is noticed later. */
      readonly from?: string
      /** The target must exist and is never created. */
      readonly existing?: true
    }
  /** Names below /proc. Each must exist and gets covered; otherwise the box is not made. */
  | {
      readonly do: 'proc'
      readonly readonly: readonly string[]
      readonly maskedFiles: readonly string[]
      readonly maskedFolders: readonly string[]
      /** Parameters of the box's own namespaces, by file below /proc; written before those files become read-only. */
      readonly parameters: Readonly<Record<string, number | string>>
    }
  /** Files of the image that only the user may read; covered if they still exist. */
  | { readonly do: 'cover'; readonly files: readonly string[]; readonly folders: readonly string[] }
  | { readonly do: 'dev'; readonly devices: readonly Source[] }
  | { readonly do: 'sys'; readonly shown: readonly Source[] }

export interface Limits {
  readonly pids: number
  readonly openFiles: number
}

export interface Confinement {
  /** Capabilities that stay in the bounding set, by name. */
  readonly capabilities: readonly string[]
  readonly nested: boolean
  readonly ptrace: boolean
  /** Whether files may get setuid marks or capabilities: not where the marks would be those of the host's root. */
  readonly setuidFiles: boolean
  /** Landlock keeps abstract unix sockets of the host out of reach (Linux 6.12). */
  readonly landlockScope: boolean
}

/** Mounts in which files with the names of secrets are hidden (src/masks), and the settings for that. */
export interface HiddenMounts {
  /** `path`: the folder of the host; `at`: its place in the box. */
  readonly mounts: readonly { readonly at: string; readonly path: string }[]
  readonly hide: readonly string[]
  readonly show: readonly string[]
  readonly strict: boolean
  /** Places in the box where something was mounted by its own name: that was meant. Absent in plans of older releases. */
  readonly kept?: readonly string[]
}

export type NetworkMode = 'host' | 'none'

export interface Plan {
  readonly version: 1
  readonly name: string
  readonly hostname: string
  readonly image: string
  readonly workspace: { readonly source: Source; readonly target: string }
  readonly user: { readonly name: string; readonly home: string; readonly shell: string }
  readonly ids: IdPlan
  /** The user's supplementary groups that its processes keep, by name; absent if they have none. */
  readonly keptGroups?: readonly string[]
  readonly network: NetworkMode
  /** The layers of the root, below the box's own files. */
  readonly root: { readonly lower: readonly Source[] }
  readonly steps: readonly Step[]
  /** Files that the box's /etc gets before it exists, by name below /etc. */
  readonly etc: Readonly<Record<string, string>>
  /** Links that its /etc gets, in the same way. */
  readonly etcLinks?: Readonly<Record<string, string>>
  readonly confinement: Confinement
  /** Absent in plans of older releases, and where nothing of the user's is mounted. */
  readonly secrets?: HiddenMounts
  readonly limits: Limits
  readonly environment: Readonly<Record<string, string>>
  /** Decisions that the user may want to know. */
  readonly notes: readonly string[]
}

/** A plan for people to read. */
export type PrintablePlan = Omit<Plan, 'etc'> & { readonly etc: readonly string[] }

/** The plan as `--plan` prints it, without values of the configuration that may be secret. */
export function printablePlan(plan: Plan, hidden: readonly string[]): PrintablePlan {
  const environment = Object.fromEntries(
    Object.entries(plan.environment).map(([name, value]) => [
      name,
      hidden.includes(name) ? '(hidden)' : value,
    ]),
  )
  return { ...plan, etc: Object.keys(plan.etc), environment }
}
