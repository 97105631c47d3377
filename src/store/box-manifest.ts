/** `box.json`, the manifest of a box: what it is, and what a daemon needs to take it over (src/store/manifest.ts). */
import type { ConfigOverrides } from '../config/load.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import type { InitRecord } from './init-record.ts'
import { type Fields, fieldsOf, type Kind } from './kind.ts'

export type BoxState =
  /** Written, not yet alive: a daemon that finds it clears it away. */
  | 'creating'
  /** A stopped one on its way to running: a daemon that finds it without life stops it again. */
  | 'starting'
  | 'running'
  | 'stopped'

export type PtyState = 'running' | 'restarting' | 'ended' | 'crashed'

export interface PtyRecord {
  /** 0 is the agent. */
  readonly id: number
  readonly command: readonly string[]
  /** Numbers of the two sides in init's descriptor table. */
  readonly master: number
  readonly slave: number
  /** Number of the pipe, in init, through which output gets into the ring (ring.ts). */
  readonly pipe: number
  readonly pid: number | undefined
  readonly state: PtyState
  readonly exitCode: number | undefined
  /** Milliseconds since 1970 of the latest ends, for the crash-loop rule. */
  readonly ends: readonly number[]
}

/** A command of `coop run` or `coop exec` whose client has not yet taken its exit code. */
export interface CommandRecord {
  /** Chosen by the client, which names it when it comes back to another daemon. */
  readonly token: string
  readonly pid: number
  /** Its terminal, if it has one. */
  readonly pty: number | undefined
  /** The process that waits for it. */
  readonly client: { readonly pid: number; readonly startTime: string | undefined }
}

/** A process that was stopped before its box was. */
export interface FrozenRecord {
  readonly pid: number
  readonly startTime: string
}

/** Since when an agent waits for its user. */
export interface Waiting {
  /** Milliseconds since 1970. */
  readonly since: number
  /** What it said, when it said something. */
  readonly text?: string
}

/** What a box was made of. */
export interface LayeredImage {
  /** Undefined: the layers are all there is. */
  readonly base: 'host' | undefined
  /** Topmost first, as overlayfs has them; on the `host` image the folders in which each overlay's are. */
  readonly layers: readonly Source[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDir: string
}

/** What flags said when the box was made: they hold when it is started again. */
export type BoxFlags = Pick<ConfigOverrides, 'image' | 'agent' | 'network' | 'env'>

export interface Manifest {
  /** Part of the stable envelope, as name, state, created and init are (envelope.ts). */
  readonly workspace: string
  readonly name: string
  readonly state: BoxState
  /** Why it is stopped, in words. */
  readonly reason: string | undefined
  readonly created: number
  readonly kind: 'agent' | 'run'
  readonly init: InitRecord | undefined
  readonly flags: BoxFlags
  readonly plan: Plan
  /** The kernel's boot id when its sources were looked at; a box of an older release has none. */
  readonly boot: string | undefined
  /** What it was made of: the image of that name may be removed or built again meanwhile. */
  readonly layered: LayeredImage | undefined
  /** Names of variables whose values came from the configuration and are never shown. */
  readonly hidden: readonly string[]
  /** The word that listings show, and the whole command. */
  readonly agent: { readonly title: string; readonly command: readonly string[] }
  readonly autoRestart: boolean
  readonly restartDelayMs: number
  readonly shell: string
  readonly detachKey: string
  /** Its own cgroup while it has an init, when the host let us make one; a folder of a cgroup v2 tree. */
  readonly cgroup?: string | undefined
  readonly ptys: readonly PtyRecord[]
  readonly commands: readonly CommandRecord[]
  /** The agent waits for its user. */
  readonly waiting: Waiting | undefined
  /**
   * Every process is stopped while its files are copied (freeze.ts); these were before. A daemon that finds this set
   * lets the others go on: the one that stopped them died.
   */
  readonly frozen?: readonly FrozenRecord[] | undefined
  /** The user's command for that, which never comes from a project. */
  readonly notify: string
}

/** Written by coop itself, whole or not at all: checked as far as a manifest without it would do harm. */
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
    // 0.1.0 had the workspace's path in the plan only, where a release without that plan could not find it.
    2: (old) => ({ ...old, workspace: fieldsOf(fieldsOf(fieldsOf(old.plan).workspace).source).path }),
  },
  parse,
}
