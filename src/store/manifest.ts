/**
 * The manifest of a box: `box.json`, written before anything of the box exists and whenever its state
 * changes, so that a daemon that starts finds every box (atomic: temporary name, sync, rename).
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { ConfigOverrides } from '../config/load.ts'
import { boxesDir, manifestFile, type Paths } from '../core/paths.ts'
import type { LayeredImage } from '../plan/image-layers.ts'
import type { Plan } from '../sandbox/plan.ts'
import type { Waiting } from '../terminal/waiting.ts'

export const MANIFEST_VERSION = 2

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

/** What flags said when the box was made: they hold when it is started again. */
export type BoxFlags = Pick<ConfigOverrides, 'image' | 'agent' | 'network' | 'env'>

export interface Manifest {
  readonly version: typeof MANIFEST_VERSION
  readonly name: string
  readonly state: BoxState
  /** Why it is stopped, in words. */
  readonly reason: string | undefined
  readonly created: number
  readonly kind: 'agent' | 'run'
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
  /** `boot` is the kernel's boot id: pids and start times mean something within one. */
  readonly init: { readonly pid: number; readonly startTime: string; readonly boot: string } | undefined
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

/** Write a file so that a reader sees the old or the new one; with `sync` a power cut loses neither. */
export function writeAtomically(path: string, text: string, sync: boolean): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const fd = openSync(temporary, 'w', 0o600)
    try {
      writeFileSync(fd, text) // all of it or an error: one write(2) to a disk that gets full takes a part
      if (sync) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

export function writeManifest(paths: Paths, manifest: Manifest): void {
  // No box outlives a power cut, so only what a stopped one needs has to reach the disk.
  const sync = manifest.kind === 'agent' && manifest.state !== 'running'
  writeAtomically(manifestFile(paths, manifest.name), `${JSON.stringify(manifest)}\n`, sync)
}

/** Undefined for a file that is not a manifest of this version. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const manifest = value as Manifest
    const whole =
      manifest.version === MANIFEST_VERSION &&
      typeof manifest.name === 'string' &&
      typeof manifest.plan?.workspace?.target === 'string' &&
      Array.isArray(manifest.plan.notes) &&
      Array.isArray(manifest.ptys) &&
      Array.isArray(manifest.commands)
    return whole ? manifest : undefined
  } catch {
    return undefined
  }
}

export interface FoundManifest {
  readonly name: string
  /** Undefined: there is none, or one that cannot be read. */
  readonly manifest: Manifest | undefined
}

/** Every box that left a folder. */
export function findManifests(paths: Paths): FoundManifest[] {
  let names: string[]
  try {
    names = readdirSync(boxesDir(paths))
  } catch {
    return [] // no box was ever made
  }
  return names.flatMap((name): FoundManifest[] => {
    let text: string
    try {
      text = readFileSync(manifestFile(paths, name), 'utf8')
    } catch {
      return [{ name, manifest: undefined }]
    }
    const manifest = parseManifest(text)
    return [{ name, manifest: manifest?.name === name ? manifest : undefined }]
  })
}
