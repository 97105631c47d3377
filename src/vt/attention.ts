/**
 * Finds what a program says to its user outside of its text: the bell, notifications, its title, its progress, and its
 * own report of what it is doing. Pure but for its state.
 */
import { BEL, sanitize } from './characters.ts'
import { pushBeyondColors } from './colored-text.ts'
import { isStatus, type ProgramStatus, parseStatus } from './program-status.ts'
import type { Sequence } from './sequence.ts'
import type { Sink } from './sink.ts'
import { Tokenizer } from './tokenizer.ts'

export interface Signal {
  readonly kind: 'bell' | 'notification'
  /** One line of plain text, 200 characters at most. */
  readonly text?: string
}

/** Receives the lasting words of a program, in their order; of several titles in one piece of output the last. */
export interface Watcher {
  status(status: ProgramStatus): void
  /** The title of its window. */
  title(title: string): void
  /** Whether its progress shows that it works (OSC 9;4). */
  progress(works: boolean): void
}

const MAX_SEEN = 64 // characters of a title; the marks of agents come first
const TITLE = /^[02];/
const PROGRESS = /^9;4;([0-4])(?:;|$)/
const MAX_TEXT = 200 // characters
const MAX_PARTS = 8 // kitty's notifications that may be incomplete at the same time
const MAX_PART = 2048 // bytes kept of such a notification, enough for MAX_TEXT of any characters
const MAX_ID = 64 // characters of the identifier that the program gives it
const PART_WAIT_MS = 10_000 // a notification that is still incomplete after it is dropped
const BELL_PAUSE_MS = 1000 // a program that rings all the time gives one signal

/** Everything but the bell: no other control character matters here. */
const UNHEARD = String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code), 0x7f).replace(
  '\x07',
  '',
)

interface Part {
  title: string
  body: string
  readonly since: number
}

export class Attention {
  readonly #tokenizer: Tokenizer
  readonly #watcher: Watcher | undefined
  readonly #parts = new Map<string, Part>()
  #now = 0
  #rung = Number.NEGATIVE_INFINITY
  #found: Signal | undefined
  #title: Uint8Array | undefined

  constructor(watcher?: Watcher) {
    this.#watcher = watcher
    const sink: Sink = {
      text: () => {},
      control: (code) => {
        if (code === BEL) this.#bell()
      },
      sequence: (sequence) => {
        if (sequence.kind === 'osc' && !sequence.malformed) this.#osc(sequence)
      },
    }
    this.#tokenizer = new Tokenizer(sink, UNHEARD)
  }

  /** The number of bytes and characters kept at present. */
  get held(): number {
    let held = this.#tokenizer.held
    for (const [id, part] of this.#parts) held += id.length + part.title.length + part.body.length
    return held
  }

  /** The signal in the bytes, if any: the last notification, else the bell. `nowMs` is any clock that moves forward. */
  push(bytes: Uint8Array, nowMs: number): Signal | undefined {
    this.#now = nowMs
    this.#found = undefined
    // Nearly all output is text and colours.
    if (bytes.indexOf(BEL) < 0) pushBeyondColors(this.#tokenizer, bytes)
    else this.#tokenizer.push(bytes)
    if (this.#title) this.#watcher?.title(sanitize(this.#title, MAX_SEEN))
    this.#title = undefined
    return this.#found
  }

  #bell(): void {
    if (this.#now - this.#rung < BELL_PAUSE_MS) return
    this.#rung = this.#now
    this.#found ??= { kind: 'bell' }
  }

  #notify(...parts: string[]): void {
    const said = parts.filter((part) => part !== '').join(': ')
    const text = sanitize(Buffer.from(said), MAX_TEXT).trim()
    this.#found = text ? { kind: 'notification', text } : { kind: 'notification' }
  }

  #osc({ payload, text }: Sequence): void {
    if (text.startsWith('9;')) {
      // A leading number marks a command of ConEmu: progress, or a folder.
      if (!/^9;\d+(?:;|$)/.test(text)) this.#notify(utf8(payload, 2))
      const progress = PROGRESS.exec(text)?.[1]
      // 1: so many percent, 3: unknown how many; 0, 2 and 4: none, failed, paused.
      if (progress !== undefined) this.#watcher?.progress(progress === '1' || progress === '3')
    } else if (isStatus(text)) {
      const status = this.#watcher && parseStatus(text)
      if (status) this.#watcher?.status(status)
    } else if (TITLE.test(text)) {
      // Of a flood only the last one is read.
      if (this.#watcher) this.#title = new Uint8Array(payload.subarray(2, 2 + 4 * MAX_SEEN))
    } else if (text.startsWith('777;notify;')) {
      const [title = '', ...body] = utf8(payload, 11).split(';')
      this.#notify(title, body.join(';'))
    } else if (text.startsWith('99;')) {
      const end = text.indexOf(';', 3)
      if (end > 0) this.#kitty(text.slice(3, end), payload.subarray(end + 1))
    }
  }

  /** kitty's desktop notifications: title and body arrive one after the other, each possibly in pieces. */
  #kitty(metadata: string, payload: Uint8Array): void {
    const values = new Map(metadata.split(':').map((pair) => [pair.slice(0, 1), pair.slice(2)] as const))
    const what = values.get('p') ?? 'title'
    const id = (values.get('i') ?? '').slice(0, MAX_ID)
    for (const [key, { since }] of this.#parts) if (this.#now - since > PART_WAIT_MS) this.#parts.delete(key)
    const part = this.#parts.get(id) ?? { title: '', body: '', since: this.#now }
    if (what === 'title' || what === 'body') {
      const plain = values.get('e') === '1' ? Buffer.from(latin1(payload), 'base64') : payload
      part[what] = (part[what] + utf8(plain, 0)).slice(0, MAX_PART)
    } else if (!this.#parts.has(id)) return
    this.#parts.delete(id)
    if (values.get('d') !== '0') return this.#notify(part.title, part.body)
    this.#parts.set(id, part)
    const [oldest] = this.#parts.keys()
    if (this.#parts.size > MAX_PARTS && oldest !== undefined) this.#parts.delete(oldest)
  }
}

const utf8 = (bytes: Uint8Array, from: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from)
    .toString()
    .slice(0, MAX_PART)

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
