/**
 * Scans what git has: the files of the index, or every file of every commit once. Only object names travel to git, so that
 * no filter, textconv or hook of the repository has a part in it.
 */

import * as k from '../../../ffi/abi/constants.ts'
import { abi } from '../../../ffi/abi/index.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { openReal, pathBytes, pathText } from '../../../ffi/tree.ts'
import { CoopError } from '../../core/errors.ts'
import { runGit, startGit } from '../../trees/git-process.ts'
import { scanSteps } from '../scan/scanner.ts'
import type { FileFinding } from './batch.ts'

const REGULAR_MODES = /^100/ // no links, whose content is a path, and no submodules
const NO_REPLACED = { GIT_NO_REPLACE_OBJECTS: '1' } // what was pushed is the object, not its replacement
const PIECE = 64 * 1024

export interface Blob {
  readonly object: string
  /** Below the folder; bytes, as latin1. */
  readonly path: string
}

/**
 * The files that the next commit changes, as the index has them. `index` is the file that git names to its hooks: with
 * `git commit -a` or `git commit FILE` it is not the usual one (githooks(5)).
 */
export async function stagedBlobs(folder: string, home: string, index: string | undefined): Promise<Blob[]> {
  const env = { ...NO_REPLACED, ...(index === undefined ? {} : { GIT_INDEX_FILE: index }) }
  const git = (args: readonly string[], none?: number): Promise<Buffer> =>
    runGit(folder, home, args, undefined, undefined, { env, ...(none === undefined ? {} : { none }) })
  const head = (await git(['rev-parse', '--verify', '--quiet', 'HEAD'], 1)).toString('latin1').trim()
  const blobs: Blob[] = []
  if (!head) {
    // Before the first commit, everything in the index is new.
    for (const entry of (await git(['ls-files', '--stage', '-z'])).toString('latin1').split('\0')) {
      const [, mode = '', object = '', path = ''] = /^(\d+) ([0-9a-f]+) \d\t([\s\S]+)$/.exec(entry) ?? []
      if (REGULAR_MODES.test(mode)) blobs.push({ object, path })
    }
    return blobs
  }
  const which = ['--cached', '--raw', '-z', '--no-abbrev', '--no-renames', '--relative', '--diff-filter=AMT']
  const words = (await git(['diff-index', ...which, head, '--'])).toString('latin1').split('\0')
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [, mode = '', , object = ''] = (words[at] ?? '').split(' ')
    if (REGULAR_MODES.test(mode)) blobs.push({ object, path: words[at + 1] ?? '' })
  }
  return blobs
}

export interface BlobsResult {
  readonly files: number
  readonly bytes: number
  readonly missing: number
}

/** Scans blobs; calls `onFinding` as they come. */
export function scanBlobs(
  folder: string,
  home: string,
  blobs: readonly Blob[],
  onFinding: (finding: FileFinding) => void,
): Promise<BlobsResult> {
  return inFolder(folder, async (dir) => {
    const child = startGit(dir, home, ['cat-file', '--batch', '--buffer'], NO_REPLACED)
    try {
      const feeding = (async () => {
        for (let at = 0; at < blobs.length; at += 1000) {
          child.stdin.write(
            blobs
              .slice(at, at + 1000)
              .map(({ object }) => `${object}\n`)
              .join(''),
          )
          await child.stdin.flush()
        }
        await child.stdin.end()
      })()
      let at = 0
      const result = await readBatch(child.stdout, () => blobs[at++]?.path ?? '', false, onFinding)
      await feeding
      return result
    } finally {
      child.kill('SIGKILL')
      await child.exited
    }
  })
}

/** Scans every file of every commit that a branch, tag or stash leads to, each content once. */
export function scanHistory(
  folder: string,
  home: string,
  onFinding: (finding: FileFinding) => void,
): Promise<BlobsResult> {
  return inFolder(folder, async (dir) => {
    const which = ['--objects', '--all', '--reflog', '--missing=allow-any', '--filter=object:type=blob']
    const list = startGit(
      dir,
      home,
      ['rev-list', ...which, '--filter-provided-objects', '--', '.'],
      NO_REPLACED,
    )
    const format = '--batch=%(objectname) %(objecttype) %(objectsize) %(rest)'
    const read = startGit(dir, home, ['cat-file', format, '--buffer'], NO_REPLACED)
    try {
      list.stdin.end()
      const said = new Response(list.stderr).text()
      const feeding = (async () => {
        for await (const piece of list.stdout) {
          read.stdin.write(piece)
          await read.stdin.flush()
        }
        await read.stdin.end()
      })()
      const result = await readBatch(read.stdout, (rest) => rest, true, onFinding)
      await feeding
      if ((await list.exited) !== 0)
        throw new CoopError(
          'E_WORKSPACE',
          `git cannot read the history: ${pathText((await said).trim().slice(0, 300))}`,
          {
            hint: 'look for the cause with git fsck',
          },
        )
      return result
    } finally {
      for (const child of [list, read]) {
        child.kill('SIGKILL')
        await child.exited
      }
    }
  })
}

async function inFolder<T>(folder: string, work: (dir: number) => Promise<T>): Promise<T> {
  const dir = openReal(pathBytes(folder), k.O_PATH | abi.O_DIRECTORY)
  try {
    return await work(dir)
  } finally {
    closeDescriptor(dir)
  }
}

/** Reads the output of `git cat-file --batch`: a line with name, type and size, the content, a newline (git-cat-file(1)). */
async function readBatch(
  stream: ReadableStream<Uint8Array>,
  pathOf: (rest: string) => string,
  withBlob: boolean,
  onFinding: (finding: FileFinding) => void,
): Promise<BlobsResult> {
  const bytes = new ByteReader(stream)
  let files = 0
  let missing = 0
  let total = 0
  for (let head = await bytes.line(); head !== undefined; head = await bytes.line()) {
    const [object = '', type = '', size = ''] = head.split(' ', 3)
    const path = pathOf(head.slice(object.length + type.length + size.length + 3))
    if (type === 'missing') {
      missing++
      continue
    }
    let left = Number(size)
    if (!Number.isSafeInteger(left))
      throw new CoopError('E_WORKSPACE', `git says ${JSON.stringify(head.slice(0, 80))}`)
    if (type === 'blob') {
      files++
      total += left
      const scanning = scanSteps(path)
      let step = scanning.next()
      while (!step.done) {
        const n = left ? await bytes.into(step.value.subarray(0, Math.min(step.value.length, left))) : 0
        left -= n
        step = scanning.next(n)
      }
      for (const finding of step.value.findings)
        onFinding({ path, ...finding, ...(withBlob ? { blob: object } : {}) })
    }
    await bytes.skip(left + 1)
  }
  return { files, bytes: total, missing }
}

/** Bytes of a stream in the portions that a reader wants. */
class ByteReader {
  readonly #reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> }
  #piece: Uint8Array = new Uint8Array()

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
  }

  async #more(): Promise<boolean> {
    while (!this.#piece.length) {
      const { done, value } = await this.#reader.read()
      if (done || !value) return false
      this.#piece = value
    }
    return true
  }

  /** The next line, as latin1; undefined at the end. */
  async line(): Promise<string | undefined> {
    let text = ''
    while (await this.#more()) {
      const end = this.#piece.indexOf(10)
      const part = end < 0 ? this.#piece : this.#piece.subarray(0, end)
      text += Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1')
      this.#piece = this.#piece.subarray(part.length + (end < 0 ? 0 : 1))
      if (end >= 0) return text
      if (text.length > PIECE) throw new CoopError('E_WORKSPACE', 'git writes a line without an end')
    }
    return text || undefined
  }

  async into(buffer: Uint8Array): Promise<number> {
    if (!(await this.#more())) return 0
    const part = this.#piece.subarray(0, buffer.length)
    buffer.set(part)
    this.#piece = this.#piece.subarray(part.length)
    return part.length
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0 && (await this.#more()); ) {
      const n = Math.min(left, this.#piece.length)
      this.#piece = this.#piece.subarray(n)
      left -= n
    }
  }
}
