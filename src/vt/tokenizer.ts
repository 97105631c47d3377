/**
 * Splits a program's terminal output, in any pieces, into text and control sequences: Paul Williams' parser for DEC
 * terminals (vt100.net/emu/dec_ansi_parser) with the strings of ECMA-48 and xterm. Pure but for its state.
 *
 * Only the 7-bit forms start a sequence. Bytes 0x80..0x9f are parts of UTF-8 characters. As characters of their own
 * (U+009B) some terminals obey them and others do not: they are reported as controls, and the bytes after them as text.
 */

import { ByteBuffer } from './byte-buffer.ts'
import { BEL, CAN, DEL, ESC, SUB } from './characters.ts'
import { MAX_CLIPBOARD, MAX_HEADER, MAX_STRING } from './limits.ts'
import { type Kind, Sequence } from './sequence.ts'
import type { Sink } from './sink.ts'
import { TextScanner } from './text-scanner.ts'

const KEPT_BUFFER = 2 * MAX_STRING // bytes; a larger buffer is not kept for the next sequence

const GROUND = 0
const ESCAPE = 1
const HEADER = 2
const STRING = 3
const STRING_ESCAPE = 4

/** The sequences that begin with ESC and this byte; any other byte ends the sequence. */
const INTRODUCERS: Readonly<Record<number, Kind>> = {
  91: 'csi', // [
  80: 'dcs', // P
  93: 'osc', // ]
  88: 'sos', // X
  94: 'pm', // ^
  95: 'apc', // _
  107: 'title', // k
}
const NOTHING = new Uint8Array(0)

export class Tokenizer {
  readonly #sink: Sink
  readonly #text: TextScanner
  readonly #sequence = new Sequence()
  #state = GROUND
  /** Stream offset of the chunk's first byte. */
  #offset = 0
  /** The position in the chunk where the sequence continues, after the bytes held from earlier chunks. */
  #start = 0
  readonly #held = new ByteBuffer(KEPT_BUFFER)
  #payload = 0 // offset of the payload from the sequence's first byte
  #streaming = false
  #asked = false // whether the sink was asked to stream this string

  /** `inText`: control characters to report as text, because the sink ignores them. */
  constructor(sink: Sink, inText = '') {
    this.#sink = sink
    this.#text = new TextScanner(sink, inText)
  }

  /** The number of bytes seen. */
  get offset(): number {
    return this.#offset
  }

  /**
   * The last offset between two characters or sequences: output shown from there on is shown correctly. An incomplete
   * sequence or character begins after it.
   */
  get boundary(): number {
    return this.#state === GROUND ? this.#offset - this.#text.partial.length : this.#sequence.begin
  }

  /** The number of bytes kept at present. */
  get held(): number {
    return this.#held.length + this.#text.partial.length
  }

  push(bytes: Uint8Array): void {
    const end = bytes.length
    let at = this.#text.join(bytes, this.#offset)
    this.#start = 0
    while (at < end)
      at = this.#state === GROUND ? this.#ground(bytes, at, end) : this.#control(bytes, at, end)
    if (this.#state !== GROUND && !this.#streaming) this.#hold(bytes, end)
    this.#offset += end
  }

  #ground(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#text.scan(bytes, start, end, this.#offset)
    if (at >= end) return end
    this.#open(at)
    return at + 1
  }

  /** A sequence begins at `at`, which may be the byte before the chunk. */
  #open(at: number): void {
    const sequence = this.#sequence
    sequence.kind = 'esc'
    sequence.prefix = 0
    sequence.intermediates = 0
    sequence.final = 0
    sequence.malformed = false
    sequence.overlong = false
    sequence.begin = this.#offset + at
    this.#state = ESCAPE
    this.#start = Math.max(0, at)
    this.#held.clear()
    if (at < 0) this.#held.append(Uint8Array.of(ESC))
    this.#payload = 2
    this.#streaming = false
    this.#asked = false
  }

  /** Inside a sequence; returns the position after the handled bytes. */
  #control(bytes: Uint8Array, start: number, end: number): number {
    if (this.#state === STRING) return this.#string(bytes, start, end)
    if (this.#state === STRING_ESCAPE) {
      if (bytes[start] === 0x5c) return this.#finish(bytes, start + 1, 2)
      this.#abort()
      this.#open(start - 1)
    }
    const sequence = this.#sequence
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0
      if (byte === ESC) this.#open(at)
      else if (byte === CAN || byte === SUB || byte >= 0x80) {
        this.#abort()
        return byte < 0x80 ? at + 1 : at // a byte that is not ASCII is text
      } else if (byte < 0x20) {
        sequence.malformed = true
        if (sequence.kind !== 'dcs') this.#sink.control(byte, bytes, at, at + 1) // terminals obey it at once
      } else if (byte === DEL) sequence.malformed = true
      else if (byte < 0x30) this.#intermediate(byte)
      else if (this.#state === ESCAPE) {
        if (this.#escape(byte)) return this.#finish(bytes, at + 1, 0)
        if (sequence.kind !== 'csi' && sequence.kind !== 'dcs' && sequence.kind !== 'esc') return at + 1
      } else if (byte < 0x40) this.#parameter(byte, at)
      else {
        sequence.final = byte
        if (sequence.kind === 'csi') return this.#finish(bytes, at + 1, 0)
        this.#state = STRING
        this.#payload = this.#offset + at + 1 - sequence.begin
        this.#ask(bytes, at + 1)
        return at + 1
      }
    }
    return end
  }

  #intermediate(byte: number): void {
    const sequence = this.#sequence
    if (sequence.intermediates > 0xff) sequence.malformed = true
    else sequence.intermediates = (sequence.intermediates << 8) | byte
  }

  #parameter(byte: number, at: number): void {
    const sequence = this.#sequence
    if (sequence.intermediates) sequence.malformed = true
    if (byte < 0x3c) return
    if (this.#offset + at === sequence.begin + 2) sequence.prefix = byte
    else sequence.malformed = true
  }

  /** The byte after ESC and intermediates. Returns whether it ends the sequence. */
  #escape(byte: number): boolean {
    const sequence = this.#sequence
    const kind = sequence.intermediates ? undefined : INTRODUCERS[byte]
    if (kind) {
      sequence.kind = kind
      this.#state = kind === 'csi' || kind === 'dcs' ? HEADER : STRING
      return false
    }
    sequence.final = byte
    return true
  }

  #string(bytes: Uint8Array, start: number, end: number): number {
    const { kind } = this.#sequence
    const separator = kind === 'apc' && !this.#asked ? 0x3b : -1
    let at = start
    let byte = 0
    for (; at < end; at++) {
      byte = bytes[at] ?? 0
      if (byte === ESC || byte === separator || byte === CAN || byte === SUB) break
      if (byte === BEL && kind === 'osc') break // an xterm extension; no other string ends with BEL
    }
    if (this.#streaming && at > start) this.#sink.data?.(bytes, start, at)
    if (at >= end) return end
    if (byte === separator) this.#ask(bytes, at + 1)
    else if (byte === ESC) this.#state = STRING_ESCAPE
    else if (byte === BEL) return this.#finish(bytes, at + 1, 1)
    else this.#abort()
    return at + 1
  }

  #abort(): void {
    this.#state = GROUND
    if (this.#streaming) this.#sink.end?.()
    this.#streaming = false
    this.#held.clear()
  }

  /** Whether the sink wants the rest of a string in pieces; `at` is the start of that rest. */
  #ask(bytes: Uint8Array, at: number): void {
    this.#asked = true
    if (!this.#sink.stream || !this.#fill(bytes, at, 0) || this.#sequence.malformed) return
    this.#streaming = this.#sink.stream(this.#sequence)
    if (this.#streaming) this.#held.clear()
    else if (this.#held.length) this.#start = at // all bytes before it are held
  }

  /** The sequence ends before `at`. */
  #finish(bytes: Uint8Array, at: number, terminator: number): number {
    this.#state = GROUND
    if (this.#streaming) {
      this.#streaming = false
      this.#sink.end?.()
      return at
    }
    this.#fill(bytes, at, terminator)
    this.#sink.sequence(this.#sequence)
    this.#held.clear()
    return at
  }

  /** Point the sequence's view at its bytes, which end before `at`. Returns whether they were kept. */
  #fill(bytes: Uint8Array, at: number, terminator: number): boolean {
    const sequence = this.#sequence
    sequence.end = this.#offset + at
    if (this.#held.length) this.#hold(bytes, at)
    if (sequence.overlong || sequence.end - sequence.begin > this.#limit(bytes)) {
      sequence.overlong = true
      sequence.malformed = true
      this.#held.clear()
      sequence.bytes = NOTHING
      sequence.from = sequence.to = sequence.payloadFrom = sequence.payloadTo = 0
      return false
    }
    sequence.bytes = this.#held.length ? this.#held.bytes : bytes
    sequence.from = this.#held.length ? 0 : this.#start
    sequence.to = this.#held.length || at
    sequence.payloadTo = sequence.to - terminator
    sequence.payloadFrom = Math.min(sequence.from + this.#payload, sequence.payloadTo)
    return true
  }

  /** Keep the bytes of the sequence up to `end`, unless there are too many. */
  #hold(bytes: Uint8Array, end: number): void {
    const sequence = this.#sequence
    if (sequence.overlong) return
    if (this.#offset + end - sequence.begin > this.#limit(bytes)) {
      sequence.overlong = true
      this.#held.clear()
    } else this.#held.append(bytes.subarray(this.#start, end))
  }

  #limit(bytes: Uint8Array): number {
    const { kind } = this.#sequence
    if (kind === 'esc' || kind === 'csi') return MAX_HEADER
    if (kind !== 'osc') return MAX_STRING
    const byte = (i: number) =>
      i < this.#held.length ? this.#held.bytes[i] : bytes[this.#start + i - this.#held.length]
    return byte(2) === 0x35 && byte(3) === 0x32 && byte(4) === 0x3b ? MAX_CLIPBOARD : MAX_STRING
  }
}
