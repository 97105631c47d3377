/** The few questions that looking for agents asks of the host's file system, so that tests can answer them. */

import { accessSync, constants, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import { pathBytes, placeIdentity } from '../../ffi/tree.ts'
import { folderLeft } from '../sandbox/real-path.ts'

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

/**
 * The same, but a link in a folder that boxes write is only there when it stays in that: else a box that has its
 * workspace on PATH would choose what the next one is shown as an agent.
 */
export function withoutPlanted(files: HostFiles, writable: readonly string[]): HostFiles {
  const isPlanted = (path: string, target: string): boolean => {
    const leads = resolve(dirname(path), target)
    const identity = (folder: string) => placeIdentity(pathBytes(folder))
    return folderLeft(path, leads, { writable, identity }) !== undefined
  }
  return {
    ...files,
    readLink(path) {
      const target = files.readLink(path)
      return target === undefined || isPlanted(path, target) ? undefined : target
    },
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
