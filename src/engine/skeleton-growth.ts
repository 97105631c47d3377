/**
 * Adds the host's deeper folders to the skeleton of the `host` image once a box writes to a system folder, since it may
 * be installing packages. They are thousands, so a box's first start does not wait for them.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Box } from '../box/box.ts'
import { growSkeleton, isComplete } from '../box/make-skeleton.ts'
import { type Paths, upperDir } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import { skeletonOf } from '../plan/skeleton.ts'

const LOOK_MS = 500 // a package manager reads its lists for longer; dpkg waits (sandbox/box-programs.ts)
const OWN = ['root', 'etc'] // coop itself writes there

interface Services {
  readonly paths: Paths
  readonly host: HostFacts
  /** The boxes there are. */
  boxes(): readonly Box[]
  log(event: string, fields: Readonly<Record<string, unknown>>): void
}

export class SkeletonGrowth {
  readonly #services: Services
  readonly #complete = new Set<string>()
  readonly #growing = new Map<string, Promise<void>>()
  #timer: Timer | undefined

  constructor(services: Services) {
    this.#services = services
  }

  /** Call this when boxes have started. */
  look(): void {
    if (this.#timer || !this.#waiting().length) return
    this.#timer = setInterval(() => this.#again(), LOOK_MS)
    this.#timer.unref()
  }

  /** Running boxes on skeletons that lack the deeper folders. */
  #waiting(): { readonly box: Box; readonly skeleton: string }[] {
    return this.#services.boxes().flatMap((box) => {
      const skeleton = box.running ? skeletonOf(box.manifest.plan) : undefined
      if (skeleton === undefined || this.#complete.has(skeleton)) return []
      if (!isComplete(skeleton)) return [{ box, skeleton }]
      this.#complete.add(skeleton)
      return []
    })
  }

  #again(): void {
    const waiting = this.#waiting()
    if (!waiting.length) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    for (const { box, skeleton } of waiting)
      if (!this.#growing.has(skeleton) && this.#isInstalling(box)) this.#grow(skeleton)
  }

  /** Whether the box has files of its own in a system folder. Only coop's own names are resolved here. */
  #isInstalling({ name, manifest: { plan } }: Box): boolean {
    return plan.steps.some((step) => {
      if (step.do !== 'overlay' || OWN.includes(step.upper)) return false
      try {
        return readdirSync(join(upperDir(this.#services.paths, name), step.upper)).length > 0
      } catch {
        return false // the box is ending
      }
    })
  }

  #grow(skeleton: string): void {
    const { host, log } = this.#services
    const started = performance.now()
    const growing = growSkeleton(host, skeleton)
      .then(() => log('host-folders-added', { ms: Math.round(performance.now() - started) }))
      .catch((error) => {
        log('host-folders-failed', { error: String(error) })
        this.#complete.add(skeleton) // as far as it goes: the disk may be full
      })
      .finally(() => this.#growing.delete(skeleton))
    this.#growing.set(skeleton, growing)
  }
}
