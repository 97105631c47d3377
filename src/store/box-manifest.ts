/** `box.json`, the manifest of a box, with all facts that a daemon needs to adopt the box (src/store/manifest.ts). */
import type { Grant } from '../broker/terms/grant.ts'
import type { InputFilterConfig } from '../config/config.ts'
import type { ConfigOverrides } from '../config/load.ts'
import type { Caller } from '../sandbox/caller.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import type { InitRecord } from './init-record.ts'
import { type Fields, fieldsOf, isFields, type Kind } from './kind.ts'

export type BoxState =
  /** Written but not yet alive: a daemon that finds it removes it. */
  | 'creating'
  /** A stopped box that is about to run: a daemon that finds it without life marks it stopped again. */
  | 'starting'
  | 'running'
  | 'stopped'

export type PtyState = 'running' | 'restarting' | 'ended' | 'crashed'

export interface PtyRecord {
  /** 0 is the agent's terminal. */
  readonly id: number
  readonly command: readonly string[]
  /** Numbers of the terminal's two sides in init's descriptor table. */
  readonly master: number
  readonly slave: number
  /** Number in init of the pipe through which output gets into the ring (ring.ts). */
  readonly pipe: number
  readonly pid: number | undefined
  readonly state: PtyState
  readonly exitCode: number | undefined
  /** It is the terminal of init's own session, so that its program can be suspended. */
  readonly isJob?: true
  /** Milliseconds since 1970 of the latest ends, to detect crash loops. */
  readonly ends: readonly number[]
}

/** A command of `coop run` or `coop exec` whose client has not fetched its exit code yet. */
export interface CommandRecord {
  /** Chosen by the client, which uses it to find the command again in another daemon. */
  readonly token: string
  readonly pid: number
  /** Its terminal, if it has one. */
  readonly pty: number | undefined
  /** The process that waits for the command. */
  readonly client: { readonly pid: number; readonly startTime: string | undefined }
}

/** A process that was stopped before coop stopped its box. */
export interface FrozenRecord {
  readonly pid: number
  readonly startTime: string
}

/** `waiting`: for its user, but not known for what. */
export type AgentState = 'idle' | 'working' | 'blocked' | 'done' | 'waiting'

/** What an agent is doing. */
export interface Activity {
  readonly state: AgentState
  /** The beginning of this state, in milliseconds since 1970. */
  readonly since: number
  /** The agent's question or message. */
  readonly text?: string
  /**
   * Its own report (OSC 7501), its title, its progress (OSC 9;4), the bell or a notification, or its silence. `budget`: the
   * broker holds it back.
   */
  readonly from: 'report' | 'title' | 'progress' | 'signal' | 'silence' | 'budget'
}

/** The layers from which a box was made. */
export interface LayeredImage {
  /** Undefined: the layers are complete by themselves. */
  readonly base: 'host' | undefined
  /** Topmost first, as in overlayfs. On the `host` image: folders with the layers of each overlay. */
  readonly layers: readonly Source[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDir: string
}

/** The flags with which the box was made; they also apply when it is started again. */
export type BoxFlags = Pick<ConfigOverrides, 'image' | 'agent' | 'network' | 'env' | 'mounts'>

/** A file or folder that coop makes in a folder of the host, because a mount of a box needs a place there. */
export interface Stub {
  /** The folder that the box has from the host: a path without links, and its inode. */
  readonly folder: string
  readonly inode: number
  /** Below that folder. */
  readonly path: string
  readonly type: 'folder' | 'file'
}

export interface Manifest {
  /** Part of the stable envelope, like name, state, created and init (envelope.ts). */
  readonly workspace: string
  readonly name: string
  readonly state: BoxState
  /** The reason why the box is stopped, in words. */
  readonly reason: string | undefined
  readonly created: number
  readonly kind: 'agent' | 'run'
  readonly init: InitRecord | undefined
  readonly flags: BoxFlags
  readonly plan: Plan
  /** What coop has made in folders of the host for its mounts; boxes of older releases have none. */
  readonly stubs?: readonly Stub[] | undefined
  /** The kernel's boot id when its sources were checked; boxes of older releases have none. */
  readonly boot: string | undefined
  /** Its layers: the image of that name may have been removed or rebuilt since. */
  readonly layered: LayeredImage | undefined
  /** Names of variables with configured values, which are never shown. */
  readonly hidden: readonly string[]
  /** The word for listings, and the whole command. */
  readonly agent: { readonly title: string; readonly command: readonly string[] }
  readonly autoRestart: boolean
  readonly restartDelayMs: number
  readonly shell: string
  readonly detachKey: string
  /** What browsers cannot type at the agent; boxes of older releases have the defaults. */
  readonly inputFilter?: InputFilterConfig | undefined
  /** Its own cgroup while it has an init, if the host allowed one; a folder of a cgroup v2 tree. */
  readonly cgroup?: string | undefined
  readonly ptys: readonly PtyRecord[]
  readonly commands: readonly CommandRecord[]
  /** What the agent is doing, as far as it shows that. */
  readonly doing: Activity | undefined
  /**
   * Set while every process is stopped because files are copied (freeze.ts); lists the processes that were stopped
   * before. A daemon that finds it set resumes the others, because the daemon that stopped them died.
   */
  readonly frozen?: readonly FrozenRecord[] | undefined
  /** The user's command for a waiting agent, which never comes from a project. */
  readonly notify: string
  /** What it may use of the broker of keys. */
  readonly broker?: Grant | undefined
  /** Who made the box or started it last: its agent gets that process's limits and priorities. */
  readonly caller?: Caller | undefined
}

/** Coop itself writes the file, whole or not at all. Fields are checked whose absence would do harm. */
function parse(fields: Fields): Manifest | undefined {
  const manifest = fields as unknown as Manifest
  const whole =
    typeof manifest.name === 'string' &&
    typeof manifest.workspace === 'string' &&
    typeof manifest.plan?.workspace?.target === 'string' &&
    Array.isArray(manifest.plan.notes) &&
    Array.isArray(manifest.ptys) &&
    Array.isArray(manifest.commands)
  return whole ? manifest : undefined
}

export const boxManifest: Kind<Manifest> = {
  name: 'box-manifest',
  version: 3,
  migrations: {
    // 0.1.0 had the workspace's path only in the plan, where a release that cannot read that plan could not find it.
    // It knew of an agent only that it waits.
    2: ({ waiting, ...old }) => ({
      ...old,
      workspace: fieldsOf(fieldsOf(fieldsOf(old.plan).workspace).source).path,
      doing: isFields(waiting) ? { ...waiting, state: 'waiting', from: 'signal' } : undefined,
    }),
  },
  parse,
}
