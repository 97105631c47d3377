/** The `.coopignore` files below one folder of the host. */
import * as k from '../../ffi/abi/constants.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { statAt } from '../../ffi/tree.ts'
import { COOPIGNORE, type CoopIgnore } from '../secrets/coopignore.ts'
import type { Pattern } from '../secrets/gitignore.ts'
import * as scan from './scan.ts'

export class IgnoreFiles {
  readonly #top: string
  /** By folder, relative to the top. */
  readonly #files = new Map<string, { readonly parsed: CoopIgnore; readonly state: string }>()
  /** Patterns that have matched something. */
  readonly used = new Set<Pattern>()

  constructor(top: string) {
    this.#top = top
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()].map((folder) => (folder ? `${folder}/${COOPIGNORE}` : COOPIGNORE))
  }

  /** Patterns that match nothing, as `FILE:LINE PATTERN`. */
  get unused(): readonly string[] {
    return [...this.#files].flatMap(([folder, { parsed }]) =>
      parsed.lines
        .filter((line) => !this.used.has(line))
        .map(({ line, text }) => `${scan.nameText(folder ? `${folder}/` : '')}${COOPIGNORE}:${line} ${text}`),
    )
  }

  /** Reads that of a folder. Raises E_CONFIG. */
  read(top: number, folder: string): CoopIgnore | undefined {
    const state = stateOf(top, folder)
    if (!state) return undefined
    const parsed = scan.coopIgnoreOf(this.#top, folder, state.startsWith(FILE))
    this.#files.set(folder, { parsed, state })
    return parsed
  }

  /** They may have been written in place, which watches of their folders do not tell. */
  areUnchanged(): boolean {
    const top = scan.openTop(this.#top)
    try {
      return [...this.#files].every(([folder, { state }]) => stateOf(top, folder) === state)
    } finally {
      closeDescriptor(top)
    }
  }

  drop(folder: string): void {
    this.#files.delete(folder)
  }

  clear(): void {
    this.#files.clear()
    this.used.clear()
  }
}

const FILE = 'file '

function stateOf(top: number, folder: string): string {
  const at = scan.openFolderAt(top, folder)
  if (at === undefined) return ''
  try {
    const { type, ino, mtime, size } = statAt(at, COOPIGNORE)
    return `${type === k.S_IFREG ? FILE : 'other '}${ino} ${mtime.seconds}.${mtime.nanoseconds} ${size}`
  } catch (error) {
    if (error instanceof SysError) return ''
    throw error
  } finally {
    closeDescriptor(at)
  }
}
