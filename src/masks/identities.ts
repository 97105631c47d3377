/** Knows hidden files by what they are, whatever their names become. */
import { SysError } from '../../ffi/libc.ts'
import { statAt } from '../../ffi/tree.ts'
import type { Identity, Reason } from './hidden.ts'

export class Identities {
  readonly #files = new Map<number, Identity & { readonly path: string }>()
  /** A hidden file has more than one name. */
  hasLinks = false

  get size(): number {
    return this.#files.size
  }

  has(ino: number): boolean {
    return this.#files.has(ino)
  }

  note(at: number, name: string, path: string): void {
    try {
      const { ino, birth, nlink } = statAt(at, name)
      this.#files.set(Number(ino), { ino: Number(ino), birth: `${birth}`, path })
      if (nlink > 1) this.hasLinks = true
    } catch (error) {
      if (!(error instanceof SysError)) throw error
    }
  }

  /** Whether a name is one of a hidden file. */
  reasonFor(at: number, name: string, ino: number): Reason | undefined {
    const known = this.#files.get(ino)
    if (!known) return undefined
    try {
      const { birth } = statAt(at, name)
      if (`${birth}` === known.birth) return { by: 'same-file', path: known.path }
    } catch (error) {
      if (!(error instanceof SysError)) throw error
    }
    return undefined
  }

  clear(): void {
    this.#files.clear()
    this.hasLinks = false
  }
}
