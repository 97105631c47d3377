/** All boxes of this user: made, found, adopted after a crash, ended. */
import { rmSync } from 'node:fs'
import type { Channel } from '../../ffi/channel.ts'
import type { Watcher } from '../../ffi/watcher.ts'
import { Box } from '../box/box.ts'
import type { BoxContext } from '../box/context.ts'
import { thaw } from '../box/freeze.ts'
import { makeReady } from '../box/ready.ts'
import { seedVolumes } from '../box/seeding.ts'
import { UnknownBox } from '../box/unknown-box.ts'
import type { Broker } from '../broker/plan/plan-broker.ts'
import { Cgroups } from '../container/cgroup.ts'
import { Nursery } from '../container/spare-inits.ts'
import type { Bus } from '../core/bus.ts'
import { CoopError } from '../core/errors.ts'
import { boxDir, boxRuntimeDir, type Paths } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import { Secrets } from '../masks/secrets.ts'
import { isOlderBuild } from '../plan/image-layers.ts'
import { keptGroups } from '../plan/kept-groups.ts'
import { type BoxRequest, type Prepared, prepareBox } from '../plan/prepare.ts'
import { writableIn, writableMounts } from '../plan/writable.ts'
import type { TrustInfo } from '../protocol/calls/trust.ts'
import type { CoopEvent } from '../protocol/events.ts'
import type { BoxOptions, Environment, Target } from '../protocol/shapes/values.ts'
import type { Caller } from '../sandbox/caller.ts'
import type { Stub } from '../store/box-manifest.ts'
import { type BoxFlags, type FoundManifest, findManifests } from '../store/manifest.ts'
import { discardStore, diskError, saysDiskFull } from '../store/storage.ts'
import { WrittenPlaces } from '../store/written.ts'
import { isMounted, noteDuration, whyGone } from './box-facts.ts'
import { chooseName } from './choose-name.ts'
import { Cleaning } from './cleaning.ts'
import { withFlags } from './differences.ts'
import { findBox } from './find-box.ts'
import { HostFollower } from './host-follower.ts'
import { left } from './left.ts'
import type { Log } from './log.ts'
import { greetingOf, News } from './news.ts'
import { mountsText, prepareAgain, requestFor, withBroker } from './prepare.ts'
import { Publishing } from './publishing.ts'
import { Turns } from './room.ts'
import { Snapshots } from './snapshots.ts'
import { Starts } from './starts.ts'
import { tidy } from './tidy.ts'
import { acceptAsks, showTrust } from './trust.ts'

const RAISE_DELAY_MS = 1 // lets the answer to the client go out first

type Start = [name: string, environment: Environment, caller?: Caller, flags?: BoxFlags]

export class Registry {
  readonly #boxes = new Map<string, Box>()
  readonly #unknown = new Map<string, UnknownBox>()
  readonly #reserved = new Set<string>()
  readonly #context: BoxContext
  readonly snapshots: Snapshots
  readonly publishing: Publishing
  readonly creates: number[] = []
  /** What boxes that have ended leave in folders of the host (stubs.ts). */
  readonly leftStubs: Stub[] = []
  readonly #news = new News()
  readonly #turns = new Turns()
  readonly starts = new Starts<{ warnings: readonly string[] }>()
  #written: WrittenPlaces | undefined
  readonly #follower: HostFollower
  readonly #cleaning = new Cleaning(() => this.#context)

  constructor(
    paths: Paths,
    host: HostFacts,
    zygote: Channel,
    watcher: Watcher,
    log: Log,
    bus: Bus<CoopEvent>,
    broker: Broker,
  ) {
    const cgroups = new Cgroups(paths.dataDir, log)
    this.#context = {
      ...{ paths, watcher, host, zygote, cgroups, log, bus, broker },
      secrets: new Secrets(watcher, log),
      nursery: new Nursery(zygote, host, cgroups, watcher),
      released: ({ cgroup, stubs = [] }) => {
        cgroups.remove(cgroup)
        this.leftStubs.push(...stubs)
      },
      ended: (box) => {
        this.#boxes.delete(box.name)
        this.#raiseSoon()
        this.#cleaning.soon()
      },
    }
    const engine = { registry: this, context: this.#context, clean: (): void => this.#cleaning.soon() }
    this.#follower = new HostFollower(watcher, log, () => this.boxes)
    this.snapshots = new Snapshots(engine)
    this.publishing = new Publishing(engine)
  }

  /** For modules that keep state beside the boxes. */
  get context(): BoxContext {
    return this.#context
  }

  isOlderBuild(box: Box): boolean {
    return isOlderBuild(box.manifest.plan, this.#context.paths)
  }

  get boxes(): readonly Box[] {
    return [...this.#boxes.values()]
  }

  /** Places that boxes write, past boxes included: a link planted by any of them leads just as far. */
  get writable(): readonly string[] {
    const known = writableMounts(this.boxes.map(({ manifest }) => manifest))
    const others = this.unknown.flatMap(({ workspace }) => workspace ?? [])
    return [...new Set([...known, ...others, ...this.#everWritten.writable])]
  }

  /** Reads the list at its first use: with a damaged list, existing boxes can still be ended. */
  get #everWritten(): WrittenPlaces {
    this.#written ??= new WrittenPlaces(this.#context.paths)
    return this.#written
  }

  /** Whether any running work needs a daemon. */
  get busy(): boolean {
    return (
      this.#reserved.size > 0 ||
      this.snapshots.busy ||
      this.boxes.some((box) => box.manifest.state !== 'stopped')
    )
  }

  /** Whether work is under way that a new daemon could not continue. */
  get working(): boolean {
    return this.#reserved.size > 0 || this.snapshots.busy || this.starts.busy
  }

  /** Whether boxes wait to be made. */
  get crowded(): boolean {
    return this.#turns.busy
  }

  /** Adopts every box that an earlier daemon left, and removes those without a living process. */
  async adoptAll(): Promise<void> {
    const { paths } = this.#context
    await tidy(paths)
    const found = findManifests(paths)
    for (const one of found) await this.#adopt(one)
    const cgroups = found.flatMap(({ manifest }) =>
      manifest.is === 'readable' ? (manifest.value.cgroup ?? []) : [],
    )
    const living = new Set(this.boxes.flatMap(({ manifest }) => manifest.cgroup ?? []))
    this.#context.cgroups.clear(cgroups, living)
    if (this.boxes.some((box) => box.running)) this.#follower.start()
    void this.#cleaning.run()
  }

  async #adopt({ name, manifest: found, text }: FoundManifest): Promise<void> {
    const { paths, log } = this.#context
    if (found.is !== 'readable') {
      const unknown = new UnknownBox(paths, name, text, found.is === 'newer' ? found : { is: 'unreadable' })
      // The manifest is a box's first file: without one, the daemon died before it made anything else.
      if (found.is === 'missing' && !unknown.lives) discardStore(paths, name)
      else this.#keepUnknown(unknown)
      return
    }
    const manifest = found.value
    this.#news.of(manifest.plan.notes)
    const box = manifest.state === 'stopped' ? undefined : await Box.adopt(this.#context, manifest)
    if (box && 'is' in box) return this.#keepUnknown(new UnknownBox(paths, name, text, box))
    if (box) {
      this.#boxes.set(name, box)
      log('box-adopted', { box: name })
      return thaw(box)
    }
    // Agents' boxes keep their files, which hold a person's work; other boxes are worthless without their processes.
    if (manifest.kind === 'agent' && manifest.state !== 'creating') {
      const reason = manifest.state === 'stopped' ? manifest.reason : whyGone(manifest)
      this.#boxes.set(name, Box.stopped(this.#context, manifest, reason))
      if (manifest.state !== 'stopped') log('box-stopped', { box: name, reason })
    } else {
      log('box-gone', { box: name })
      discardStore(paths, name)
    }
    rmSync(boxRuntimeDir(paths, name), { recursive: true, force: true })
  }

  #keepUnknown(box: UnknownBox): void {
    this.#unknown.set(box.name, box)
    const { why } = box
    this.#context.log(why.is === 'newer' ? 'box-newer' : 'manifest-unreadable', { ...why, box: box.name })
  }

  /** Boxes that this release cannot read, kept until somebody ends them. */
  get unknown(): readonly UnknownBox[] {
    return [...this.#unknown.values()]
  }

  /** Ends a box and removes it, even one that cannot be read. */
  async kill(name: string, force: boolean): Promise<void> {
    await this.starts.settled(name) // its processes would outlive it
    const unknown = this.#unknown.get(name)
    if (!unknown) return this.get(name).end({ force, reason: 'coop kill' })
    await unknown.end()
    this.#unknown.delete(name)
    this.#context.log('box-end', { box: name, reason: 'coop kill' })
    this.#cleaning.soon()
  }

  /** Cleans up before the daemon stops. */
  cleanNow(): void {
    this.#context.nursery.dismiss()
    this.#cleaning.atEnd()
  }

  /** Forks a spare init for the next box, after the answer about this one has gone out. */
  #raiseSoon(): void {
    const { nursery, host } = this.#context
    setTimeout(() => void nursery.raise().then(() => host.groupFiles.refresh()), RAISE_DELAY_MS).unref()
  }

  #choose(options: BoxOptions, suffix = ''): string {
    const taken = new Set([...this.#boxes.keys(), ...this.#unknown.keys(), ...this.#reserved])
    return chooseName(options, taken, suffix)
  }

  /** Returns the plan of a box, and makes nothing. */
  plan(options: BoxOptions): Prepared {
    const request = { ...requestFor(options, this.#choose(options), this.writable), planOnly: true }
    return prepareBox(request, this.#context.paths, this.#context.host)
  }

  /** Returns what the coop.toml of a workspace asks for. */
  trust(options: BoxOptions): TrustInfo {
    return showTrust(this.#context, requestFor(options, 'trust', this.writable), this.boxes)
  }

  /** Makes a box: one with an agent, which is then started, or the short-lived one of `coop run`. */
  async create(
    options: BoxOptions,
    kind: 'agent' | 'run',
    caller?: Caller,
    { command, greets = false }: { readonly command?: readonly string[]; readonly greets?: boolean } = {},
  ): Promise<{ box: Box; warnings: readonly string[] }> {
    const started = performance.now()
    if (options.name !== undefined) await left(this.boxes, options.name)
    const name = this.#choose(options, kind === 'run' ? '-run' : '')
    this.#reserved.add(name)
    try {
      // Look anew for each plan: another box may have begun to write while volumes were seeded.
      const request = (): BoxRequest => ({
        ...requestFor(options, name, this.writable, this.#context.broker),
        ...(command ? { command } : {}),
      })
      const { overrides } = request()
      const make = async (): Promise<{ box: Box; prepared: Prepared }> => {
        const prepared = await this.#prepared(name, request().workspace, () =>
          prepareBox(request(), this.#context.paths, this.#context.host),
        )
        const born = (): Promise<Box> => Box.create(this.#context, prepared, kind, overrides, caller)
        return { box: await this.#turns.take(born), prepared }
      }
      const { box, prepared } = await make().catch(async (error) => {
        if (!saysDiskFull(error)) throw error
        await this.#cleaning.run() // the files of ended boxes may take the space that is missing
        return make()
      })
      this.#boxes.set(name, box)
      const ms = performance.now() - started
      noteDuration(this.creates, ms)
      this.#context.log('box-created', { box: name, kind, ms: Math.round(ms * 10) / 10 })
      const planned = kind === 'agent' ? prepared.plan.notes : prepared.ownNotes
      const warnings = [...prepared.warnings, ...this.#news.of([...box.secrets.notes, ...planned])]
      if (kind === 'agent') {
        try {
          await box.terminals.needAgent()
          const words = greets ? greetingOf(box.manifest, warnings, this.#context.paths) : ''
          await box.terminals.startAgent(options.attaches, words)
        } catch (error) {
          await box.end({ force: true })
          throw error
        }
      }
      this.#context.bus.emit({ event: 'box', box: name, change: 'created' })
      return { box, warnings }
    } catch (error) {
      throw diskError(error, `boxes in ${this.#context.paths.dataDir}`)
    } finally {
      this.#reserved.delete(name)
      if (kind === 'agent') this.#raiseSoon()
    }
  }

  readonly #isAlone = (folder: string): boolean =>
    this.#reserved.size + this.starts.count <= 1 && !this.#unknown.size && !isMounted(this.boxes, folder)

  /** Plans a box and seeds its new volumes; seeding replaces their folders, so the plan is then computed again. */
  async #prepared(name: string, workspace: string, prepare: () => Prepared): Promise<Prepared> {
    const { paths, host, broker } = this.#context
    const ready = (): Promise<Prepared> =>
      withBroker(broker, name, () => makeReady(prepare, paths, host, this.#isAlone))
    this.#follower.start()
    await host.groupFiles.ready(keptGroups([{ path: workspace }], host).length > 0)
    let prepared = await ready()
    try {
      // Again until nothing is left to do: the configuration, or a volume, may have changed while others were seeded.
      while (await seedVolumes(this.#context, prepared.plan)) {
        this.#cleaning.soon()
        prepared = await ready()
      }
      if (prepared.remember.length)
        acceptAsks(this.#context, { workspace: prepared.plan.workspace.source.path, asks: prepared.remember })
      this.#everWritten.add(writableIn(prepared.plan))
    } catch (error) {
      this.#cleaning.soon()
      throw diskError(error, `coop's files in ${paths.dataDir}`)
    }
    return prepared
  }

  /** Starts a stopped box. A running box is no error; with flags, it is stopped and started with them. */
  start(...about: Start): Promise<{ warnings: readonly string[] }> {
    return this.starts.join(about[0], () => this.#start(...about))
  }

  async #start(...[name, environment, caller, flags]: Start): Promise<{ warnings: readonly string[] }> {
    const box = this.get(name)
    if (box.running && !flags) return { warnings: [] }
    if (box.ending || (!box.running && box.manifest.state !== 'stopped'))
      throw new CoopError('E_BOX_STATE', `the box ${name} is starting or ending right now`, {
        hint: 'coop ls',
      })
    const overrides = flags && withFlags(box.manifest.flags, flags)
    const prepared = await this.#prepared(name, box.manifest.workspace, () =>
      prepareAgain(this.#context, box, environment, this.writable, overrides),
    )
    if (overrides) {
      if (box.running) await box.stop({ force: false, reason: 'it gets other options' })
      box.update({ flags: overrides })
    }
    const starting = this.#turns.take(() => box.start(prepared, caller))
    await starting.catch((error) => {
      throw diskError(error, `the box in ${boxDir(this.#context.paths, name)}`)
    })
    this.#context.bus.emit({ event: 'box', box: name, change: 'started' })
    // A missing agent is no error: the user needs the running box to install it.
    const missing = await box.terminals.missingAgent()
    const lacks = missing ? [`${missing.message}; ${missing.hint}`] : []
    const notes = this.#news.of([...box.secrets.notes, ...prepared.plan.notes])
    return { warnings: [...prepared.warnings, ...notes, ...lacks] }
  }

  /**
   * Reads a running box's configuration again. Returns warnings for the user. Raises E_AGENT, and then nothing changes.
   */
  async configure(name: string, environment: Environment, caller?: Caller): Promise<readonly string[]> {
    const box = this.get(name)
    const { paths, host, broker } = this.#context
    const again = (): Prepared => prepareAgain(this.#context, box, environment, this.writable)
    const prepared = await withBroker(broker, name, () => makeReady(again, paths, host))
    const same = mountsText(box.manifest.plan) === mountsText(prepared.plan)
    const later = `changes of mounts and the image apply from the next start: coop stop ${name}; coop start ${name}`
    const missing = await box.terminals.missingAgent(prepared)
    if (missing)
      throw same ? missing : new CoopError('E_AGENT', missing.message, { hint: `${missing.hint}; ${later}` })
    box.configure(prepared, caller)
    return same ? prepared.warnings : [...prepared.warnings, later]
  }

  get(name: string): Box {
    const box = this.#boxes.get(name)
    if (box) return box
    const unknown = this.#unknown.get(name)
    if (unknown) throw unknown.refusal()
    throw new CoopError('E_NO_BOX', `there is no box named ${name}`, { hint: 'coop ls' })
  }

  /** Finds the box that is meant (find-box.ts). Raises E_NO_BOX, and E_USAGE for a folder with several boxes. */
  find(target: Target): Box {
    const box = this.findAny(target)
    if (box instanceof UnknownBox) throw box.refusal()
    return box
  }

  /** Does the same as `find`, and also finds boxes that cannot be read. */
  findAny(target: Target): Box | UnknownBox {
    return findBox([...this.boxes, ...this.unknown], target)
  }
}
