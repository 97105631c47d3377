/** How a pull is shown: a bar for each layer on a terminal, a line for each step elsewhere. */
import type { Phase, WorkerEvent } from '../../protocol/worker-calls.ts'
import type { Messages } from './messages.ts'
import { bytes } from './output.ts'

const BAR = 24 // characters
const DRAW_MS = 100
const SURE_S = 0.2 // a rate of less time says nothing
const WORDS: Readonly<Record<Phase, string>> = {
  waiting: 'another coop pulls it',
  downloading: 'downloading',
  unpacking: 'unpacking',
  done: 'done',
  there: 'already here',
}

export interface Layer {
  readonly id: string
  readonly size: number
  phase: Phase | undefined
  done: number
  since: number
}

export class ImageProgress {
  readonly #messages: Messages
  #layers: Layer[] = []
  #lastDraw = Number.NEGATIVE_INFINITY

  constructor(messages: Messages) {
    this.#messages = messages
  }

  event(event: WorkerEvent): void {
    if (event.event === 'warning') this.#messages.warn(event.text, 'warning:')
    if (event.event === 'retry') this.#messages.info(`${event.text}; trying again`)
    if (event.event === 'layers') {
      this.#layers = event.layers.map((layer) => ({ ...layer, phase: undefined, done: 0, since: 0 }))
      return
    }
    if (event.event !== 'layer') return
    for (const layer of this.#layers) {
      if (layer.id !== event.id) continue
      const changed = layer.phase !== event.phase
      if (changed) layer.since = performance.now()
      layer.phase = event.phase
      layer.done = event.done
      if (changed && !this.#messages.isLive)
        this.#messages.info(`${layer.id}: ${WORDS[event.phase]} (${bytes(layer.size)})`)
    }
    if (performance.now() - this.#lastDraw >= DRAW_MS) this.#draw()
  }

  /** The bars as they are in the end, which stay. */
  end(): void {
    if (this.#layers.length) this.#draw()
    this.#layers = []
    this.#messages.keep()
  }

  #draw(): void {
    if (!this.#messages.isLive) return
    this.#lastDraw = performance.now()
    this.#messages.live(layerLines(this.#layers, this.#messages.room, performance.now()))
  }
}

/**
 * Returns a line for each layer; when room is short, active layers come first. `now` is in milliseconds, like `since`.
 */
export function layerLines(layers: readonly Layer[], room: number, now: number): string[] {
  if (layers.length <= room) return layers.map((layer) => layerLine(layer, now))
  const left = layers.filter(({ phase }) => phase !== 'done' && phase !== 'there')
  const moving = [...left.filter(({ phase }) => phase), ...left.filter(({ phase }) => !phase)]
  const head = `${layers.length - left.length} of ${layers.length} layers are here`
  return [head, ...moving.slice(0, room - 1).map((layer) => layerLine(layer, now))]
}

function layerLine({ id, size, phase, done, since }: Layer, now: number): string {
  if (!phase) return `${id}  ${' '.repeat(BAR + 2)}  ${bytes(size)}`
  const share = size ? Math.min(1, done / size) : 1
  const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR)
  const downloaded = phase === 'downloading' && done >= size
  const busy = (phase === 'downloading' && !downloaded) || phase === 'unpacking'
  const seconds = (now - since) / 1000
  const rate = busy && seconds > SURE_S ? `  ${bytes(done / seconds)}/s` : ''
  const word = downloaded ? 'downloaded' : WORDS[phase]
  return `${id}  [${bar}]  ${bytes(busy ? done : size)}/${bytes(size)}  ${word}${rate}`
}
