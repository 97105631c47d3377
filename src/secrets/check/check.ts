/** Finds secrets in a folder, in what is staged, or in the history. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as k from '../../../ffi/abi/constants.ts'
import { abi } from '../../../ffi/abi/index.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { openReal, pathBytes, pathText } from '../../../ffi/tree.ts'
import { CoopError } from '../../core/errors.ts'
import { type BatchResult, type FileFinding, scanBatch } from './batch.ts'
import { scanBlobs, scanHistory, stagedBlobs } from './blobs.ts'
import { inRepository, listRepository, walk } from './list.ts'
import { scanFiles } from './pool.ts'
import type { Summary } from './report.ts'

const DEEPEST = 16 // repositories within repositories

export interface Wanted {
  /** Absolute, without links. */
  readonly folder: string
  /** Only this file of the folder. */
  readonly file?: string | undefined
  readonly home: string
  readonly what: 'files' | 'staged' | 'history'
  readonly ignored: boolean
  /** git's variable GIT_INDEX_FILE, absolute. */
  readonly index?: string | undefined
}

/** Scans, and calls `onFinding` in the order of the files. */
export async function checkSecrets(
  wanted: Wanted,
  onFinding: (finding: FileFinding) => void,
): Promise<Summary> {
  const { folder, file, home, what, ignored, index } = wanted
  const findings: FileFinding[] = []
  const take = (finding: FileFinding): void => {
    findings.push(finding)
    onFinding(finding)
  }
  if (what !== 'files') {
    if (!inRepository(folder))
      throw new CoopError('E_WORKSPACE', `${folder} is in no repository of git`, {
        hint: 'leave --staged and --history out to scan the files',
      })
    const result =
      what === 'history'
        ? await scanHistory(folder, home, take)
        : await scanBlobs(folder, home, await stagedBlobs(folder, home, index), take)
    const { files, bytes, missing } = result
    const why = `${missing} of its objects are missing, as in a partial clone`
    return { findings, files, bytes, unreadable: missing ? [{ path: '.git', why }] : [] }
  }
  let files = 0
  let bytes = 0
  const unreadable: { path: string; why: string }[] = []
  const add = (result: BatchResult, prefix: string): void => {
    files += result.files
    bytes += result.bytes
    for (const each of result.unreadable) unreadable.push({ ...each, path: prefix + each.path })
    for (const finding of result.findings) take({ ...finding, path: prefix + finding.path })
  }
  if (file !== undefined) {
    await inside(folder, async (dir) => add(scanBatch(dir, [pathBytes(file)]), ''))
    return { findings, files, bytes, unreadable }
  }
  const seen = new Set<string>()
  const folders: { readonly prefix: string; readonly depth: number }[] = [{ prefix: '', depth: 0 }]
  for (let next = folders.shift(); next; next = folders.shift()) {
    const { prefix, depth } = next
    if (seen.has(prefix) || depth > DEEPEST) continue
    seen.add(prefix)
    const at = join(folder, pathText(prefix))
    await inside(at, async (dir) => {
      // A submodule that is not checked out is an empty folder of the repository around it.
      const isTop = depth === 0 ? inRepository(at) : isOwnRepository(at)
      if (depth > 0 && !isTop) return
      const listed = isTop
        ? { ...(await listRepository(at, home, ignored)), unreadable: [] }
        : { ...walk(dir), nested: [] }
      add({ ...NOTHING, unreadable: listed.unreadable }, prefix)
      const deeper = (path: string): void => {
        folders.push({ prefix: `${prefix}${path.replace(/\/$/, '')}/`, depth: depth + 1 })
      }
      await scanFiles(dir, listed.paths, (result) => {
        add(result, prefix)
        result.folders.forEach(deeper)
      })
      listed.nested.forEach(deeper)
    })
  }
  return { findings, files, bytes, unreadable }
}

const NOTHING: BatchResult = { findings: [], unreadable: [], folders: [], files: 0, bytes: 0 }

function isOwnRepository(folder: string): boolean {
  return existsSync(join(folder, '.git'))
}

async function inside(folder: string, work: (dir: number) => Promise<void> | void): Promise<void> {
  const dir = openReal(pathBytes(folder), k.O_RDONLY | abi.O_DIRECTORY)
  try {
    await work(dir)
  } finally {
    closeDescriptor(dir)
  }
}
