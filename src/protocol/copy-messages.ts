/**
 * The calls of `coop cp`. Names and paths in a box are bytes and need not be UTF-8: in these messages each
 * character is one byte (latin1). Descriptors come beside the answers, in the order of the entries that are open.
 */

import { type Fields, fields } from './fields.ts'
import { text } from './text.ts'

/** Files of one call: descriptors of one SCM_RIGHTS message, with room to spare (ffi/batch.ts, MAX_FDS). */
export const MAX_ENTRIES = 60
const MAX_PATH = 4095 // bytes; PATH_MAX without its NUL
const MAX_NAME = 255 // bytes; NAME_MAX

/** A folder of the box: `top` with links followed inside the box, and from there on without any link. */
export interface Place {
  readonly top: string
  readonly below: string
}

export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}

/** What is to be made in a folder of the box. A file is written through the descriptor that comes back. */
export type NewEntry =
  | { readonly type: 'file' | 'folder'; readonly name: string }
  | { readonly type: 'link'; readonly name: string; readonly target: string; readonly mtime: FileTime }

export type CopyCall =
  /** First: a socket for descriptors was sent ahead under this token. */
  | { readonly do: 'copy.begin'; readonly name: string; readonly descriptors: string }
  /** What a path of the box is. Links on the way are followed, and with `follow` one at its end. */
  | { readonly do: 'copy.look'; readonly path: string; readonly follow: boolean }
  /** What names of a folder are; those that are files come open for reading. `follow`: also if they are links. */
  | {
      readonly do: 'copy.open'
      readonly folder: Place
      readonly names: readonly string[]
      readonly follow: boolean
    }
  /** A folder, open for listing. */
  | { readonly do: 'copy.list'; readonly folder: Place }
  | { readonly do: 'copy.create'; readonly folder: Place; readonly entries: readonly NewEntry[] }
  /** Files that were created and are written get their names. */
  | { readonly do: 'copy.finish'; readonly files: readonly number[] }
  /** Mode and time of a folder, once all is in it. */
  | { readonly do: 'copy.settle'; readonly folder: Place; readonly mode: number; readonly mtime: FileTime }
  /** Last: what was created and not finished is removed. */
  | { readonly do: 'copy.end' }

/** What the copying side has to know of the box. */
export interface CopyFacts {
  readonly workspace: string
  readonly home: string
  /** Whether files of the box may be marked setuid. */
  readonly setuidFiles: boolean
  /** Host folders that some box may write: a link in one must not lead the copy out of it. */
  readonly writable: readonly string[]
}

export interface CopyEntry {
  /** `kernel`: of /proc, /sys or the like, whose content depends on who reads it. */
  readonly type: 'file' | 'folder' | 'link' | 'device' | 'fifo' | 'socket' | 'kernel' | 'missing'
  readonly mode: number
  readonly size: number
  readonly mtime: FileTime
  /** Device and inode. */
  readonly identity: string
  readonly target?: string
  /** The name of an errno: it is there but could not be opened. */
  readonly error?: string
  readonly open: boolean
}

/** Of an entry that was asked for: a file's number for `copy.finish`, or why there is none. */
export interface Created {
  readonly file?: number
  readonly identity?: string
  readonly error?: string
}

function bytes(value: unknown, max: number): string {
  const path = text(value, max)
  if (!/^[\x01-\xff]*$/.test(path)) throw new TypeError('not the bytes of a path')
  return path
}

/** Whether it names something in a folder and nothing above or below that. */
export function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)
}

function entryName(value: unknown): string {
  const name = bytes(value, MAX_NAME)
  if (!isEntryName(name)) throw new TypeError('not a name in a folder')
  return name
}

function whole(value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new TypeError('not a number in its range')
  return value
}

function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(value) || value.length > MAX_ENTRIES) throw new TypeError('not a list')
  return value.map(read)
}

function place(value: unknown): Place {
  const { top, below } = fields(value)
  return { top: bytes(top, MAX_PATH), below: bytes(below, MAX_PATH) }
}

function time(value: unknown): FileTime {
  const { seconds, nanoseconds } = fields(value)
  return {
    seconds: whole(seconds, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    nanoseconds: whole(nanoseconds, 0, 999_999_999),
  }
}

function newEntry(value: unknown): NewEntry {
  const { type, name, target, mtime } = fields(value)
  if (type === 'file' || type === 'folder') return { type, name: entryName(name) }
  if (type !== 'link') throw new TypeError('not a type')
  return { type, name: entryName(name), target: bytes(target, MAX_PATH), mtime: time(mtime) }
}

/** A call of `coop cp`; undefined when it is another. Throws when it is malformed. */
export function copyCall(it: Fields): CopyCall | undefined {
  switch (it.do) {
    case 'copy.begin':
      return { do: it.do, name: bytes(it.name, 255), descriptors: bytes(it.descriptors, 64) }
    case 'copy.look':
      return { do: it.do, path: bytes(it.path, MAX_PATH), follow: it.follow === true }
    case 'copy.open':
      return {
        do: it.do,
        folder: place(it.folder),
        names: list(it.names, entryName),
        follow: it.follow === true,
      }
    case 'copy.list':
      return { do: it.do, folder: place(it.folder) }
    case 'copy.create':
      return { do: it.do, folder: place(it.folder), entries: list(it.entries, newEntry) }
    case 'copy.finish':
      return { do: it.do, files: list(it.files, (file) => whole(file, 0, Number.MAX_SAFE_INTEGER)) }
    case 'copy.settle':
      return { do: it.do, folder: place(it.folder), mode: whole(it.mode, 0, 0o7777), mtime: time(it.mtime) }
    case 'copy.end':
      return { do: it.do }
    default:
      return undefined
  }
}
