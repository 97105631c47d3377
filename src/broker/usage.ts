/**
 * Reads the tokens that a provider reports, beside the stream: bytes are looked at after they have been passed on. In
 * events (SSE) the later report replaces the earlier one, field by field, as all three providers count up.
 */
import type { Tokens } from './terms/prices.ts'
import type { ProviderName } from './terms/providers.ts'

const MAX_JSON = 8 << 20 // bytes of an answer that is one JSON text
const MAX_LINE = 4 << 20 // bytes of one event; the last one of OpenAI repeats the whole answer

export interface Usage {
  readonly model: string
  readonly tokens: Tokens
  /** The provider has reported them to the end; otherwise they are what it had reported until then. */
  readonly isWhole: boolean
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const fieldsIn = (value: unknown, name: string): Fields => {
  const inner = isFields(value) ? value[name] : undefined
  return isFields(inner) ? inner : {}
}
const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.min(value, 1e12) : undefined

export class UsageReader {
  readonly #provider: ProviderName
  readonly #isEvents: boolean
  #pieces: Buffer[] = []
  #size = 0
  #isLost = false
  #model = ''
  #found: Record<string, number> = {}
  #isWhole = false

  constructor(provider: ProviderName, contentType: string) {
    this.#provider = provider
    this.#isEvents = /^text\/event-stream\b/i.test(contentType)
  }

  /** Takes a piece of the body. Never throws. */
  push(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    if (!this.#isEvents) return this.#keep(bytes, MAX_JSON)
    let at = 0
    for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
      this.#keep(bytes.subarray(at, end), MAX_LINE)
      this.#endLine()
      at = end + 1
    }
    this.#keep(bytes.subarray(at), MAX_LINE)
  }

  #keep(bytes: Buffer, most: number): void {
    if (!bytes.length || this.#isLost) return
    this.#size += bytes.length
    if (this.#size > most) {
      this.#isLost = true
      this.#pieces = []
    } else this.#pieces.push(Buffer.from(bytes)) // a copy: the piece is somebody else's
  }

  #endLine(): void {
    const [first, ...others] = this.#pieces
    this.#pieces = []
    this.#size = 0
    const isLost = this.#isLost
    this.#isLost = false
    if (isLost || !first) return
    const line = others.length ? Buffer.concat([first, ...others]) : first
    // Most events are pieces of text: parsing them all would cost more than passing them on.
    if (!line.includes('usage') || !/^data:/.test(line.toString('latin1', 0, 5))) return
    this.#read(line.toString('utf8').slice(5))
  }

  #read(text: string): void {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return
    }
    // Gemini answers with a list when nobody asks for events.
    for (const one of Array.isArray(value) ? value : [value]) if (isFields(one)) this.#take(one)
  }

  #take(message: Fields): void {
    const outer = { anthropic: 'message', openai: 'response', gemini: '' }[this.#provider]
    const inner = outer ? fieldsIn(message, outer) : {}
    const model = inner.model ?? message.model ?? message.modelVersion
    if (typeof model === 'string' && model.length <= 256) this.#model = model
    const usage = {
      ...fieldsIn(message, 'usage'),
      ...fieldsIn(inner, 'usage'),
      ...fieldsIn(message, 'usageMetadata'),
    }
    if (!Object.keys(usage).length) return
    for (const [name, value] of Object.entries(flat(usage))) {
      const number = count(value)
      if (number !== undefined) this.#found[name] = number
    }
    // Anthropic begins with a report of the input; the others report once, or at the end.
    if (message.type !== 'message_start') this.#isWhole = true
  }

  /** What is known at the end of the body, or where it was cut off; undefined if not even the model is. */
  result(): Usage | undefined {
    if (!this.#isEvents && !this.#isLost && this.#pieces.length)
      this.#read(Buffer.concat(this.#pieces).toString('utf8'))
    this.#pieces = []
    if (!Object.keys(this.#found).length && !this.#model) return undefined
    return { model: this.#model, tokens: tokensOf(this.#provider, this.#found), isWhole: this.#isWhole }
  }
}

/** `{a: {b: 1}}` as `{'a.b': 1}`, one level deep. */
function flat(usage: Fields): Fields {
  const entries = Object.entries(usage).flatMap(([name, value]): [string, unknown][] =>
    isFields(value)
      ? Object.entries(value).map(([inner, one]): [string, unknown] => [`${name}.${inner}`, one])
      : [[name, value]],
  )
  return Object.fromEntries(entries)
}

/** The three ways to count, as one. */
function tokensOf(provider: ProviderName, found: Readonly<Record<string, number>>): Tokens {
  const get = (...names: readonly string[]): number => {
    for (const name of names) if (found[name] !== undefined) return found[name]
    return 0
  }
  if (provider === 'anthropic')
    return {
      input: get('input_tokens'),
      output: get('output_tokens'),
      cached: get('cache_read_input_tokens'),
      written: get('cache_creation_input_tokens'),
    }
  if (provider === 'openai') {
    const cached = get('input_tokens_details.cached_tokens', 'prompt_tokens_details.cached_tokens')
    const all = get('input_tokens', 'prompt_tokens')
    const output = get('output_tokens', 'completion_tokens')
    return { input: Math.max(0, all - cached), output, cached, written: 0 }
  }
  const cached = get('cachedContentTokenCount')
  const input = Math.max(0, get('promptTokenCount') + get('toolUsePromptTokenCount') - cached)
  return { input, output: get('candidatesTokenCount') + get('thoughtsTokenCount'), cached, written: 0 }
}
