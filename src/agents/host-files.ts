/** The few questions that looking for agents asks of the host's file system, so that tests can answer them. */

import { accessSync, constants, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'

export type FileKind = 'file' | 'folder' | 'link' | 'other'

/** Nothing here throws: what cannot be read is as good as absent for finding things. Links are not followed. */
export interface HostFiles {
  kind(path: string): FileKind | undefined
  isExecutable(path: string): boolean
  readLink(path: string): string | undefined
  /** Names in a folder, sorted; none when it cannot be read. */
  list(folder: string): readonly string[]
  /** At most the first `bytes` of a regular file, as UTF-8. */
  readStart(path: string, bytes: number): string | undefined
}

export const hostFiles: HostFiles = {
  kind: (path) =>
    attempt(() => {
      const stat = lstatSync(path)
      if (stat.isSymbolicLink()) return 'link'
      if (stat.isDirectory()) return 'folder'
      return stat.isFile() ? 'file' : 'other'
    }),
  isExecutable: (path) =>
    attempt(() => {
      accessSync(path, constants.X_OK)
      return true
    }) ?? false,
  readLink: (path) => attempt(() => readlinkSync(path)),
  list: (folder) => attempt(() => readdirSync(folder).sort()) ?? [],
  readStart: (path, bytes) =>
    attempt(() => {
      // A folder that is mounted into a box may be changing: no link on the way, and no fifo or device is opened.
      const start = readInside(dirname(path), basename(path), bytes)
      return start && Buffer.from(start).toString('utf8')
    }),
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
