/** All boxes of this user: made, found, adopted after a crash, ended. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Channel } from '../../ffi/channel.ts'
import { Box, type BoxContext } from '../box/box.ts'
import type { HostFacts } from '../box/host.ts'
import { janitor } from '../box/janitor.ts'
import { findManifests } from '../box/manifest.ts'
import { Nursery } from '../box/nursery.ts'
import { type BoxRequest, type Prepared, prepareBox } from '../box/prepare.ts'
import { clearHalfMade, discardStore, diskError, emptyTrash } from '../box/storage.ts'
import { BOX_NAME_RULE, isBoxName, nameFromWorkspace } from '../config/names.ts'
import { boxDir, boxesDir, boxRuntimeDir, manifestFile, type Paths } from '../config/paths.ts'
import { CoopError } from '../errors.ts'
import type { BoxOptions } from '../protocol/messages.ts'
import type { Log } from './log.ts'

const RAISE_DELAY_MS = 1 // after the answer to whoever waits for this box
const CLEAN_DELAY_MS = 100 // files of ended boxes wait that long in the trash
const MAX_CREATES = 1024 // durations of creations that `system status` can tell

export class Registry {
  readonly #boxes = new Map<string, Box>()
  readonly #reserved = new Set<string>()
  readonly #context: BoxContext
  readonly creates: number[] = []
  #cleaning = false
  #cleanTimer: Timer | undefined

  constructor(paths: Paths, host: HostFacts, zygote: Channel, log: Log, changed: () => void) {
    this.#context = {
      paths,
      host,
      zygote,
      nursery: new Nursery(zygote, host),
      log,
      changed,
      ended: (box) => {
        this.#boxes.delete(box.name)
        this.#raiseSoon()
        this.#cleanSoon()
        changed()
      },
    }
  }

  get boxes(): readonly Box[] {
    return [...this.#boxes.values()]
  }

  get busy(): boolean {
    return this.#boxes.size > 0 || this.#reserved.size > 0
  }

  /** Find every box that an earlier daemon left; clear away what has no life in it. */
  async adoptAll(): Promise<void> {
    const { paths, log } = this.#context
    mkdirSync(boxesDir(paths), { recursive: true })
    // Nobody else may reach a box's files by their path: a setuid program of the box is one there, too.
    chmodSync(paths.dataDir, 0o700)
    clearHalfMade(paths)
    for (const { name, manifest } of findManifests(paths)) {
      if (!manifest) {
        const aside = `${boxDir(paths, name)}/box.json.unreadable`
        // The manifest comes before anything else of a box: without one its daemon died at once.
        if (!existsSync(manifestFile(paths, name))) {
          if (!existsSync(aside)) discardStore(paths, name)
          continue
        }
        if (!existsSync(aside)) renameSync(`${boxDir(paths, name)}/box.json`, aside)
        log('manifest-unreadable', { box: name, moved: aside })
        continue
      }
      try {
        const box = await Box.adopt(this.#context, manifest)
        if (box) {
          this.#boxes.set(name, box)
          log('box-adopted', { box: name })
          // Its client went with the old daemon.
          if (manifest.kind === 'run') void box.end({ force: true })
          continue
        }
      } catch (error) {
        log('adoption-failed', { box: name, error: String(error) })
      }
      log('box-gone', { box: name })
      rmSync(boxRuntimeDir(paths, name), { recursive: true, force: true })
      discardStore(paths, name)
    }
    void this.#clean()
  }

  /** The boxes of `coop run` have nobody to come back to them. */
  async endRuns(): Promise<void> {
    const runs = this.boxes.filter((box) => box.manifest.kind === 'run')
    await Promise.all(runs.map((box) => box.end({ force: true, reason: 'the daemon stops' })))
  }

  /** Before the daemon stops; what belongs to other ids is left for the next one's janitor. */
  cleanNow(): void {
    emptyTrash(this.#context.paths)
  }

  /** A spare init for the next box, once this one is out of the way. */
  #raiseSoon(): void {
    setTimeout(() => void this.#context.nursery.raise(), RAISE_DELAY_MS).unref()
  }

  /** Not at once: deleting would slow down whatever is asked for next. */
  #cleanSoon(): void {
    clearTimeout(this.#cleanTimer)
    this.#cleanTimer = setTimeout(() => void this.#clean(), CLEAN_DELAY_MS)
  }

  async #clean(): Promise<void> {
    if (this.#cleaning) return
    this.#cleaning = true
    try {
      const left = emptyTrash(this.#context.paths)
      if (left.length) await janitor(this.#context, left)
    } catch (error) {
      this.#context.log('cleaning-failed', { error: String(error) })
    } finally {
      this.#cleaning = false
    }
  }

  #request(options: BoxOptions, name: string): BoxRequest {
    return {
      name,
      workspace: options.workspace,
      environment: options.environment,
      overrides: {
        image: options.image,
        agent: options.agent,
        network: options.network,
        env: options.env,
      },
    }
  }

  #names(): Set<string> {
    return new Set([...this.#boxes.keys(), ...this.#reserved])
  }

  #choose(options: BoxOptions, suffix = ''): string {
    if (options.name === undefined) return nameFromWorkspace(`${options.workspace}${suffix}`, this.#names())
    if (!isBoxName(options.name)) {
      throw new CoopError('E_USAGE', `${JSON.stringify(options.name)} is no name for a box`, {
        hint: BOX_NAME_RULE,
      })
    }
    if (this.#names().has(options.name)) {
      throw new CoopError('E_BOX_EXISTS', `there is a box named ${options.name} already`, {
        hint: `attach to it: coop attach ${options.name}; or choose another name: coop -n NAME`,
      })
    }
    return options.name
  }

  /** The plan of a box, with nothing made. */
  plan(options: BoxOptions): Prepared {
    return prepareBox(this.#request(options, this.#choose(options)), this.#context.paths, this.#context.host)
  }

  /** Make a box: an agent's, which is then started, or the short-lived one of `coop run`. */
  async create(
    options: BoxOptions,
    kind: 'agent' | 'run',
    command?: readonly string[],
  ): Promise<{ box: Box; warnings: readonly string[] }> {
    const started = performance.now()
    const name = this.#choose(options, kind === 'run' ? '-run' : '')
    this.#reserved.add(name)
    try {
      const request = { ...this.#request(options, name), ...(command ? { command } : {}) }
      const prepared = prepareBox(request, this.#context.paths, this.#context.host)
      const box = await Box.create(this.#context, prepared, kind)
      this.#boxes.set(name, box)
      const ms = performance.now() - started
      this.creates.push(Math.round(ms * 1000) / 1000)
      if (this.creates.length > MAX_CREATES) this.creates.shift()
      this.#context.log('box-created', { box: name, kind, ms: Math.round(ms * 10) / 10 })
      if (kind === 'agent') {
        try {
          await box.startAgent()
        } catch (error) {
          await box.end({ force: true })
          throw error
        }
      }
      return { box, warnings: [...prepared.warnings, ...(kind === 'agent' ? prepared.plan.notes : [])] }
    } catch (error) {
      throw diskError(error, `boxes in ${this.#context.paths.dataDir}`)
    } finally {
      this.#reserved.delete(name)
      if (kind === 'agent') this.#raiseSoon()
    }
  }

  get(name: string): Box {
    const box = this.#boxes.get(name)
    if (box) return box
    throw new CoopError('E_NO_BOX', `there is no box named ${name}`, { hint: 'coop ls' })
  }

  /** By name or workspace; left out: the box of `cwd` or of the nearest parent that has one. */
  find(wanted: string | undefined, cwd: string): Box {
    if (wanted !== undefined) {
      const named = this.#boxes.get(wanted)
      if (named) return named
      const path = resolve(cwd, wanted)
      const placed = this.#at(path)
      if (placed) return placed
      throw new CoopError('E_NO_BOX', `there is no box named ${wanted}, and none of the folder ${path}`, {
        hint: 'coop ls',
      })
    }
    for (let path = cwd; ; path = dirname(path)) {
      const box = this.#at(path)
      if (box) return box
      if (path === dirname(path)) break
    }
    throw new CoopError('E_NO_BOX', `there is no box for ${cwd} or a folder above it`, {
      hint: 'start one: coop; or see the others: coop ls',
    })
  }

  #at(workspace: string): Box | undefined {
    return this.boxes.find(
      (box) => box.manifest.kind === 'agent' && box.manifest.plan.workspace.source.path === workspace,
    )
  }
}
