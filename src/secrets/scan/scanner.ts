/**
 * Scans one text as it comes, in pieces of bounded size. Says where a secret is and of which kind, never what it is. This
 * is what the command, the hook and whoever lands foreign changes use: `scanBytes` for a text that is there as a whole.
 */
import { assignmentAnchors } from './assignments.ts'
import { type Finder, type Hit, makeFinder, type Piece } from './finder.ts'
import { structureAnchors } from './structures.ts'
import { tokenAnchors } from './tokens.ts'

export interface Finding {
  /** From 1. */
  readonly line: number
  /** Bytes from 1, within the line. */
  readonly column: number
  readonly kind: string
}

export const ALLOW = 'coop:allow-secret'
export const PIECE_BYTES = 32 * 1024 // with 256 KiB, the strings made of them took 50 MB more
/** What a rule may see behind a place where something begins: the longest secret. */
const AHEAD = 8 * 1024
const BEHIND = 1024
const NUL_BYTES = 8192 // git looks as far for a zero byte to tell binary files

let finder: Finder | undefined

export interface Scanned {
  readonly findings: readonly Finding[]
  readonly bytes: number
  readonly binary: boolean
}

/** Asks for bytes: the buffer that it yields is to be filled, and the answer says how many came, 0 at the end. */
export type Scanning = Generator<Uint8Array, Scanned, number>

const BUFFER_BYTES = BEHIND + PIECE_BYTES + AHEAD
const shared = new Uint8Array(BUFFER_BYTES)

/** Scans what `read` puts into its buffer; it returns how many bytes, 0 at the end. `path` says what the text is, as its name does. */
export function scan(path: string, read: (into: Uint8Array) => number): Scanned {
  const scanning = scanSteps(path, shared)
  let step = scanning.next()
  while (!step.done) step = scanning.next(read(step.value))
  return step.value
}

export function scanBytes(path: string, bytes: Uint8Array): Scanned {
  let at = 0
  return scan(path, (into) => {
    const part = bytes.subarray(at, at + into.length)
    into.set(part)
    at += part.length
    return part.length
  })
}

/** The same step by step, for bytes that come later. The buffer belongs to it until it is done. */
export function* scanSteps(path: string, buffer = new Uint8Array(BUFFER_BYTES)): Scanning {
  finder ??= makeFinder([...tokenAnchors(), ...structureAnchors(), ...assignmentAnchors()])
  const findings: Finding[] = []
  let length = 0 // bytes in the buffer
  let from = 0 // those before were looked at
  let line = 1 // of the buffer's first byte
  let lineOffset = 0 // bytes of that line before the buffer
  let total = 0
  let isFirst = true
  for (;;) {
    let isEnd = false
    while (length < buffer.length && !isEnd) {
      const n = yield buffer.subarray(length)
      isEnd = n === 0
      length += n
      total += n
    }
    const bytes = buffer.subarray(0, length)
    if (isFirst) {
      const wide = wideText(bytes)
      if (wide) return yield* scanWide(path, wide, bytes.slice(), isEnd)
      if (bytes.subarray(0, NUL_BYTES).includes(0)) return { findings: [], bytes: total, binary: true }
      isFirst = false
    }
    const to = isEnd ? length : lastLine(bytes, from)
    const hits: Hit[] = []
    let text = ''
    const piece = (): Piece => {
      text = Buffer.from(buffer.buffer, buffer.byteOffset, length).toString('latin1', 0, length)
      return { text, path, hit: (hit) => hits.push(hit) }
    }
    finder.find(bytes, from, to, piece)
    if (hits.length) findings.push(...report(text, hits, line, lineOffset))
    if (isEnd) return { findings: unique(findings), bytes: total, binary: false }
    // What a rule may look back at stays.
    const keep = Math.max(0, to - BEHIND)
    const newlines = countNewlines(bytes, keep)
    lineOffset = newlines.last < 0 ? lineOffset + keep : keep - newlines.last - 1
    line += newlines.count
    buffer.copyWithin(0, keep, length)
    length -= keep
    from = to - keep
  }
}

/** Where the next piece begins: at a line, so far before the end that a rule sees all it needs. */
function lastLine(bytes: Uint8Array, from: number): number {
  const end = bytes.length - AHEAD
  const newline = bytes.lastIndexOf(10, end)
  return newline >= from && newline > end - AHEAD * 2 ? newline + 1 : end
}

function countNewlines(bytes: Uint8Array, to: number): { readonly count: number; readonly last: number } {
  let count = 0
  let last = -1
  for (let at = 0; at < to; at++) {
    if (bytes[at] !== 10) continue
    count++
    last = at
  }
  return { count, last }
}

/** The findings of a piece: the best hit for each place, without those in a line that allows them. */
function report(text: string, hits: readonly Hit[], line: number, lineOffset: number): Finding[] {
  const best: Hit[] = []
  for (const hit of [...hits].sort((a, b) => a.rank - b.rank || b.end - b.start - (a.end - a.start)))
    if (!best.some((other) => hit.start < other.end && other.start < hit.end)) best.push(hit)
  const findings: Finding[] = []
  let at = 0
  let current = line
  for (const { start, kind } of best.sort((a, b) => a.start - b.start)) {
    for (let next = text.indexOf('\n', at); next >= 0 && next < start; next = text.indexOf('\n', at)) {
      current++
      at = next + 1
    }
    const end = text.indexOf('\n', start)
    if (text.slice(at, end < 0 ? text.length : end).includes(ALLOW)) continue
    findings.push({ line: current, column: start - at + 1 + (current === line ? lineOffset : 0), kind })
  }
  return findings
}

/** One finding for a kind in a line. */
function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>()
  return findings.filter(({ line, kind }) => {
    const mark = `${line} ${kind}`
    if (seen.has(mark)) return false
    seen.add(mark)
    return true
  })
}

type Wide = 'utf-16le' | 'utf-16be'

function wideText(bytes: Uint8Array): Wide | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined
}

/** UTF-16, as Windows' tools write it, is scanned as the UTF-8 that it would be. The lines stay the same. */
function* scanWide(path: string, wide: Wide, first: Uint8Array, isAll: boolean): Scanning {
  const decoder = new TextDecoder(wide)
  let pending: Uint8Array = Buffer.from(decoder.decode(first, { stream: true }))
  const raw = new Uint8Array(PIECE_BYTES)
  let total = first.length
  let isDone = isAll
  const inner = scanSteps(path)
  let step = inner.next()
  while (!step.done) {
    while (!pending.length && !isDone) {
      const n = yield raw
      total += n
      isDone = n === 0
      pending = Buffer.from(n ? decoder.decode(raw.subarray(0, n), { stream: true }) : decoder.decode())
    }
    const part = pending.subarray(0, step.value.length)
    step.value.set(part)
    pending = pending.subarray(part.length)
    step = inner.next(part.length)
  }
  return { ...step.value, bytes: total }
}
