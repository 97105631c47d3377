/** The queries of the host's file system that finding agents needs, as an interface that tests can replace. */

import { accessSync, constants, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import { pathBytes, placeIdentity } from '../../ffi/tree.ts'
import { climbsFirst, folderLeft } from '../sandbox/real-path.ts'

export type FileKind = 'file' | 'folder' | 'link' | 'other'

/** Never throws: unreadable files count as absent. Does not follow links. */
export interface HostFiles {
  kind(path: string): FileKind | undefined
  isExecutable(path: string): boolean
  readLink(path: string): string | undefined
  /** Names in a folder, sorted; none if it cannot be read. */
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
      // A mounted folder may be changing, so follow no link on the way and open no fifo or device.
      const start = readInside(dirname(path), basename(path), bytes)
      return start && Buffer.from(start).toString('utf8')
    }),
}

/**
 * The same, but a link in a folder that boxes write counts only if it stays in that folder. Otherwise a box with its
 * workspace on PATH could choose the agent of the next box.
 */
export function withoutPlanted(files: HostFiles, writable: readonly string[]): HostFiles {
  const identity = (folder: string) => placeIdentity(pathBytes(folder))
  const isPlanted = (path: string, target: string): boolean => {
    const leads = climbsFirst(target) ? resolve(dirname(path), target) : '/'
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
