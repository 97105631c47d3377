/**
 * What a box will be, as pure data: made here from configuration and host facts, printed by
 * `coop run --plan`, carried out by `src/container/setup-batch.ts`. Nothing in this folder knows a file descriptor.
 */
import type { IdPlan } from './ids.ts'

/** A file or folder of the host, known by what it is and not only by its name (a link may be swapped in). */
export interface Source {
  /** Absolute, without symlinks. */
  readonly path: string
  readonly device: { readonly major: number; readonly minor: number }
  readonly inode: number
  readonly type: 'folder' | 'file'
  /**
   * Whose it is, which matters when root invokes coop: the `user`'s files are mounted with their ids shifted
   * into the box, the `box`'s have its ids already, the `system`'s stay foreign, so that only what every
   * user of the machine may read can be read.
   */
  readonly owner: 'user' | 'box' | 'system'
}

/** One thing in the box's tree, made in order. Targets are absolute paths inside, resolved in the new root. */
export type Step =
  | { readonly do: 'folder'; readonly at: string; readonly mode: number }
  | { readonly do: 'link'; readonly at: string; readonly to: string }
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
       * Read-only through an overlay of this folder alone: connect(2) and opening a fifo for writing ask no mount
       * whether it is read-only, so that a plain one lets the box talk to whatever listens in it.
       */
      readonly sealed?: true
      /** The path that was configured, made absolute but with its links: what leads elsewhere later is noticed. */
      readonly from?: string
      /** The target is there, and is never made. */
      readonly existing?: true
    }
  /** Names below /proc; each must be there and is covered, or the box is not made. */
  | {
      readonly do: 'proc'
      readonly readonly: readonly string[]
      readonly maskedFiles: readonly string[]
      readonly maskedFolders: readonly string[]
      /** Parameters of the box's own namespaces, by file below /proc; written before that is read-only. */
      readonly parameters: Readonly<Record<string, number>>
    }
  /** Files of the image that only the user may read, covered where they are still there. */
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
  /** Whether files may be marked setuid or given capabilities: not where they would be the host's root's. */
  readonly setuidFiles: boolean
  /** Landlock keeps abstract unix sockets of the host out of reach (Linux 6.12). */
  readonly landlockScope: boolean
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
  readonly network: NetworkMode
  /** The layers of the root, below the box's own files. */
  readonly root: { readonly lower: readonly Source[] }
  readonly steps: readonly Step[]
  /** Files that the box's /etc gets before it exists, by name below /etc. */
  readonly etc: Readonly<Record<string, string>>
  readonly confinement: Confinement
  readonly limits: Limits
  readonly environment: Readonly<Record<string, string>>
  /** What was decided and the user may want to know. */
  readonly notes: readonly string[]
}

/** A plan for people's eyes. */
export type PrintablePlan = Omit<Plan, 'etc'> & { readonly etc: readonly string[] }

/** The plan as `--plan` prints it: values that came from the configuration are not shown. */
export function printablePlan(plan: Plan, hidden: readonly string[]): PrintablePlan {
  const environment = Object.fromEntries(
    Object.entries(plan.environment).map(([name, value]) => [
      name,
      hidden.includes(name) ? '(hidden)' : value,
    ]),
  )
  return { ...plan, etc: Object.keys(plan.etc), environment }
}
