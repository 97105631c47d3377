/** Removes what coop has made in folders of the host for mounts of boxes (plan/stubs.ts), once no box uses it. */
import type { Bus } from '../core/bus.ts'
import { placeOf, removeStub, targetsOnHost } from '../plan/stubs.ts'
import type { CoopEvent } from '../protocol/events.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import type { Stub } from '../store/box-manifest.ts'
import type { FoundManifest, Manifest } from '../store/manifest.ts'

interface Living {
  readonly name: string
  readonly manifest: Manifest
  update(change: Pick<Manifest, 'stubs'>): void
}

interface Boxes {
  readonly boxes: readonly Living[]
  readonly unknown: readonly unknown[]
  /** Boxes are being made, which nobody can see yet. */
  readonly working: boolean
}

export class Stubs {
  readonly #boxes: Boxes
  /** Of living boxes, by name. */
  readonly #living = new Map<string, readonly Stub[]>()
  /** Of boxes that have ended, by place. */
  readonly #left = new Map<string, Stub>()

  /** `before`: the manifests that an earlier daemon has left, before anything was adopted. */
  constructor(boxes: Boxes, bus: Bus<CoopEvent>, before: readonly FoundManifest[]) {
    this.#boxes = boxes
    for (const { name, manifest } of before) {
      if (manifest.is !== 'readable' || manifest.value.state === 'stopped') continue
      this.#note(name)
      if (!this.#living.has(name)) this.leave(manifest.value.stubs ?? [])
    }
    this.sweep()
    bus.listen((event) => {
      if (event.event !== 'box') return
      const ended = event.change === 'ended' || event.change === 'stopped'
      if (ended) this.leave(this.#living.get(event.box) ?? [])
      else this.#note(event.box)
      if (ended) this.#living.delete(event.box)
      if (ended || event.change === 'created' || event.change === 'started') this.sweep()
    })
  }

  #note(name: string): void {
    if (this.#living.has(name)) return
    const box = this.#boxes.boxes.find((one) => one.name === name)
    if (box?.manifest.state === 'running') this.#living.set(name, box.manifest.stubs ?? [])
  }

  /** Those of a box that has ended. */
  leave(stubs: readonly Stub[]): void {
    for (const stub of stubs) this.#left.set(placeOf(stub), stub)
  }

  /**
   * Removes what is left, inner names first. A mount of another box would go with the folder that it lies on, so that
   * box gets it instead; its manifest keeps it for later daemons.
   */
  sweep(): void {
    if (!this.#left.size || this.#boxes.working || this.#boxes.unknown.length) return
    const living = this.#boxes.boxes.filter(({ manifest }) => manifest.state !== 'stopped')
    const users = living.map((box) => ({ box, targets: targetsOnHost(box.manifest.plan).map(placeOf) }))
    for (const [place, stub] of [...this.#left].sort(([a], [b]) => b.length - a.length)) {
      this.#left.delete(place)
      const user = users.find(({ targets }) => targets.some((target) => isWithin(target, place)))?.box
      if (!user) removeStub(stub)
      else {
        const stubs = [...(user.manifest.stubs ?? []), stub]
        this.#living.set(user.name, stubs)
        user.update({ stubs })
      }
    }
  }
}
