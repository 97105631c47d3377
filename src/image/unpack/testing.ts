/** Helpers for the unit tests of this folder: archives, and a reproducible generator of numbers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TarReader } from './tar.ts'
import type { TarEntry } from './tar-entry.ts'
import { BLOCK } from './tar-header.ts'

export function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes' constants
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A temporary folder, removed at the end of the block. */
export function folder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'coop-unit-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export function shell(cwd: string, script: string): Buffer {
  const { stdout, exitCode, stderr } = Bun.spawnSync(['sh', '-c', script], {
    cwd,
    stderr: 'pipe',
    maxBuffer: 1 << 28,
  })
  if (exitCode !== 0) throw new Error(`${script}: ${stderr.toString()}`)
  return stdout
}

export interface Fake {
  readonly name: string
  readonly type?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly link?: string
  readonly data?: string | Uint8Array
  /** A size for the header, instead of that of the data. */
  readonly size?: number
  readonly pax?: Readonly<Record<string, string>>
}

function header(
  { name, type = '0', mode = 0o644, uid = 0, gid = 0, mtime = 0, link = '', ...rest }: Fake,
  size: number,
): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (at: number, width: number, value: number) =>
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1')
  block.write(name.slice(0, 100), 0, 'latin1')
  octal(100, 8, mode)
  octal(108, 8, uid)
  octal(116, 8, gid)
  octal(124, 12, rest.size ?? size)
  octal(136, 12, mtime)
  block.write(type, 156, 'latin1')
  block.write(link.slice(0, 100), 157, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  resum(block)
  return block
}

/** Correct the checksum of a header. */
export function resum(block: Buffer): void {
  block.fill(32, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

function paxRecord(key: string, value: string): Buffer {
  const body = Buffer.byteLength(` ${key}=${value}\n`, 'latin1')
  let length = body + 1
  while (String(length).length + body !== length) length = String(length).length + body
  return Buffer.from(`${length} ${key}=${value}\n`, 'latin1')
}

/** An archive made by hand, so that it can contain any fault. */
export function archive(entries: readonly Fake[], end = true): Buffer {
  const parts: Buffer[] = []
  for (const entry of entries) {
    if (entry.pax) {
      const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)))
      parts.push(header({ name: 'pax', type: 'x' }, records.length), padded(records))
    }
    const data = Buffer.from(entry.data ?? '')
    parts.push(header(entry, data.length), padded(data))
  }
  if (end) parts.push(Buffer.alloc(2 * BLOCK))
  return Buffer.concat(parts)
}

export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

export interface Read extends TarEntry {
  readonly data: Buffer
}

/** All entries with their data, holes filled. */
export async function readAll(bytes: Uint8Array, piece = 1000): Promise<Read[]> {
  const reader = new TarReader(inPieces(bytes, piece))
  const entries: Read[] = []
  for (;;) {
    const entry = await reader.next()
    if (!entry) return entries
    const data = Buffer.alloc(Math.min(entry.size, 1 << 24))
    for (let part = await reader.data(); part; part = await reader.data()) data.set(part.bytes, part.offset)
    entries.push({ ...entry, data })
  }
}
