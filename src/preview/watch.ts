/** The ports of all boxes, looked at as long as somebody wants to know. */
import type { Bus } from '../core/bus.ts'
import type { CoopEvent } from '../protocol/events.ts'
import { BoxPorts, type Found, type PortBox } from './ports.ts'

const LOOK_MS = 1_000
const WANTED_MS = 30_000 // after a listing; whoever goes on looking lists again

interface Watched {
  readonly box: PortBox
  readonly ports: BoxPorts
  until: number
  last: string
}

export class PortWatch {
  readonly #bus: Bus<CoopEvent>
  readonly #watched = new Map<string, Watched>()
  #timer: Timer | undefined

  constructor(bus: Bus<CoopEvent>) {
    this.#bus = bus
  }

  /** The ports on which the box listens. Changes during the next 30 seconds become events. */
  async list(box: PortBox): Promise<readonly Found[]> {
    const watched = this.#of(box)
    watched.until = performance.now() + WANTED_MS
    const found = await watched.ports.look()
    watched.last = JSON.stringify(found)
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS)
    return found
  }

  portsOf(box: PortBox): BoxPorts {
    return this.#of(box).ports
  }

  #of(box: PortBox): Watched {
    const known = this.#watched.get(box.name)
    if (known?.box === box) return known
    const watched = { box, ports: new BoxPorts(box), until: 0, last: '[]' }
    this.#watched.set(box.name, watched)
    return watched
  }

  async #look(): Promise<void> {
    const now = performance.now()
    const wanted = [...this.#watched.values()].filter(({ until }) => until > now)
    if (!wanted.length) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    for (const watched of wanted) {
      const found = JSON.stringify(await watched.ports.look())
      if (found === watched.last) continue
      watched.last = found
      this.#bus.emit({ event: 'listeners', box: watched.box.name })
    }
  }

  /** Forgets a box that has ended. */
  forget(name: string): void {
    this.#watched.delete(name)
  }
}
