/** The few questions that looking for agents asks of the host's file system, so that tests can answer them. */

import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isWithin } from '../sandbox/sensitive.ts'

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
      // O_NONBLOCK: a fifo in place of the file must not hang the start.
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        const buffer = Buffer.alloc(bytes)
        return buffer.toString('utf8', 0, readSync(fd, buffer, 0, bytes, 0))
      } finally {
        closeSync(fd)
      }
    }),
}

/**
 * The same, but a link in a folder that boxes write is only there when it stays in that: else a box that has its
 * workspace on PATH would choose what the next one is shown as an agent.
 */
export function withoutPlanted(files: HostFiles, writable: readonly string[]): HostFiles {
  const isPlanted = (path: string, target: string): boolean => {
    const leads = resolve(dirname(path), target)
    return writable.some((folder) => isWithin(path, folder) && !isWithin(leads, folder))
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
