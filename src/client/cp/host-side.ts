/** The host's side of a copy: resolves the user's path, and refuses coop's own folders. */

import { realpathSync } from 'node:fs'
import { O_PATH } from '../../../ffi/abi/constants.ts'
import { abi } from '../../../ffi/abi/index.ts'
import { SysError } from '../../../ffi/libc.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { openReal, pathBytes, pathText, placeIdentity, readLinkAt, statAt } from '../../../ffi/tree.ts'
import { CoopError } from '../../core/errors.ts'
import type { Paths } from '../../core/paths.ts'
import type { CopyEntry, CopyFacts } from '../../protocol/calls/copies.ts'
import { realPath } from '../../sandbox/real-path.ts'
import { isWithin } from '../../sandbox/sensitive.ts'
import { currentFolder } from '../exact-text.ts'
import { identityOf, typeOf } from './copy-walk.ts'

/** A place of the host, with a path without links (latin1). */
export interface HostPlace {
  /** As the user wrote it. */
  readonly path: string
  readonly real: string
  readonly type: CopyEntry['type']
  readonly identity: string | undefined
}

export class HostSide {
  readonly #facts: CopyFacts
  /** Coop's own folders, as paths without links and by device and inode. */
  readonly #state: readonly string[]
  readonly stateIdentities: ReadonlySet<string>

  constructor(facts: CopyFacts, paths: Paths) {
    this.#facts = facts
    const folders = [paths.configDir, paths.dataDir, paths.cacheDir, paths.runtimeDir]
    this.#state = folders.flatMap((folder) => {
      try {
        return [pathBytes(realpathSync(folder))]
      } catch {
        return [] // the folder does not exist yet
      }
    })
    this.stateIdentities = new Set(this.#state.flatMap((folder) => this.#look(folder)?.identity ?? []))
  }

  #look(real: string): Pick<HostPlace, 'type' | 'identity'> | undefined {
    let fd: number
    try {
      fd = openReal(real, O_PATH | abi.O_NOFOLLOW)
    } catch (error) {
      if (error instanceof SysError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
      if (!(error instanceof SysError) || error.code !== 'ELOOP') throw error
      return { type: 'link', identity: undefined } // RESOLVE_NO_SYMLINKS also refuses a link at the end
    }
    try {
      const stat = statAt(fd, '')
      return { type: typeOf(stat), identity: identityOf(stat) }
    } finally {
      closeDescriptor(fd)
    }
  }

  /** Resolves a path of the user's. Raises E_FAILED when a box could have chosen where it leads. */
  find(path: string, follow: boolean): HostPlace {
    const bytes = pathBytes(path)
    const full = bytes.startsWith('/') ? bytes : `${pathBytes(currentFolder())}/${bytes}`
    const writable = this.#facts.writable.map(pathBytes)
    const real = realPath(full, follow, { readLink: readLinkAt, identity: placeIdentity, writable })
    const state = this.#state.find((folder) => isWithin(real, folder))
    if (state !== undefined)
      throw new CoopError(
        'E_FAILED',
        `${path} is not copied: coop keeps its own state in ${pathText(state)}`,
        {
          hint: 'copy another folder',
        },
      )
    return { path, real, ...(this.#look(real) ?? { type: 'missing', identity: undefined }) }
  }
}
