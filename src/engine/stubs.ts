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
  /** Of boxes that have ended since the last look, also of those that were never whole. */
  readonly leftStubs: Stub[]
}

const AGAIN_MS = 20 // while boxes are being made

export class Stubs {
  readonly #boxes: Boxes
  /** Of boxes that have ended, by place. */
  readonly #left = new Map<string, Stub>()
  #again: Timer | undefined

  /** `before`: the manifests that an earlier daemon has left, before anything was adopted. */
  constructor(boxes: Boxes, bus: Bus<CoopEvent>, before: readonly FoundManifest[]) {
    this.#boxes = boxes
    for (const { name, manifest } of before) {
      if (manifest.is !== 'readable' || manifest.value.state === 'stopped') continue
      const isAlive = boxes.boxes.some((one) => one.name === name && one.manifest.state === 'running')
      if (!isAlive) boxes.leftStubs.push(...(manifest.value.stubs ?? []))
    }
    this.sweep()
    bus.listen((event) => {
      if (event.event === 'box' && event.change !== 'changed') this.sweep()
    })
  }

  /**
   * Removes what is left, inner names first. A mount of another box would go with the folder that it lies on, so that
   * box gets it instead; its manifest keeps it for later daemons.
   */
  sweep(): void {
    for (const stub of this.#boxes.leftStubs.splice(0)) this.#left.set(placeOf(stub), stub)
    if (!this.#left.size || this.#boxes.unknown.length) return
    if (this.#boxes.working) {
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.sweep(), AGAIN_MS)
      this.#again.unref()
      return
    }
    const living = this.#boxes.boxes.filter(({ manifest }) => manifest.state !== 'stopped')
    const users = living.map((box) => ({ box, targets: targetsOnHost(box.manifest.plan).map(placeOf) }))
    for (const [place, stub] of [...this.#left].sort(([a], [b]) => b.length - a.length)) {
      this.#left.delete(place)
      const user = users.find(({ targets }) => targets.some((target) => isWithin(target, place)))?.box
      if (!user) removeStub(stub)
      else {
        user.update({ stubs: [...(user.manifest.stubs ?? []), stub] })
      }
    }
  }
}
