/** A number of files that one process scans in one go, and what it found: plain data, which goes through pipes as JSON. */
import type { Finding } from '../scan/scanner.ts'
import { scanFile } from './scan-file.ts'

export interface FileFinding extends Finding {
  /** Below the folder that is scanned; bytes, as latin1. */
  readonly path: string
  /** The object of git that has it, if it is not a file. */
  readonly blob?: string
}

export interface BatchResult {
  readonly findings: readonly FileFinding[]
  readonly unreadable: readonly { readonly path: string; readonly why: string }[]
  /** Submodules, and folders that have taken the place of files. */
  readonly folders: readonly string[]
  readonly files: number
  readonly bytes: number
}

/**
 * Each piece of a text becomes a string. The engine lets some hundred megabytes of them pass before it collects; a
 * collection takes some milliseconds here, where little else lives. After each megabyte would save 10 MB more, for a
 * third of the time.
 */
const COLLECT_AFTER = 4 << 20 // bytes
let sinceCollected = 0

export function scanBatch(dir: number, paths: readonly string[]): BatchResult {
  const findings: FileFinding[] = []
  const unreadable: { path: string; why: string }[] = []
  const folders: string[] = []
  let files = 0
  let bytes = 0
  for (const path of paths) {
    const outcome = scanFile(dir, path)
    if (outcome.kind === 'folder') folders.push(path)
    if (outcome.kind === 'unreadable') unreadable.push({ path, why: outcome.why })
    if (outcome.kind !== 'scanned') continue
    files++
    bytes += outcome.bytes
    sinceCollected += outcome.bytes
    if (sinceCollected > COLLECT_AFTER) {
      Bun.gc(true)
      sinceCollected = 0
    }
    for (const finding of outcome.findings) findings.push({ path, ...finding })
  }
  return { findings, unreadable, folders, files, bytes }
}
