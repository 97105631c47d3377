/**
 * Calls of `coop cp`. Names and paths in a box are bytes and need not be UTF-8: in these messages each character is one
 * byte (latin1). Descriptors come beside the replies, in the order of the entries that are open.
 */
import { call } from '../shapes/call.ts'
import {
  either,
  flag,
  integer,
  list,
  literal,
  matching,
  nothing,
  type Of,
  object,
  oneOf,
  optional,
  type Shape,
  text,
} from '../shapes/shapes.ts'
import { target, token } from '../shapes/values.ts'

/** Files of one call: their descriptors fit into one SCM_RIGHTS message with room to spare (ffi/batch.ts, MAX_FDS). */
export const MAX_ENTRIES = 60
const MAX_PATH = 4095 // bytes; PATH_MAX without its NUL
const MAX_NAME = 255 // bytes; NAME_MAX

const bytes = (max: number): Shape<string> => matching(/^[\x01-\xff]*$/, 'the bytes of a path', max)
const path = bytes(MAX_PATH)
/** A name in a folder, with no path above or below it. */
const entryName = matching(/^(?!\.{1,2}$)[\x01-.\x30-\xff]+$/, 'a name in a folder', MAX_NAME)

/** Returns whether it is a name in a folder, with no path above or below it. */
export function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)
}

/** A folder of the box. In `top`, links are followed inside the box; in `below`, links are refused. */
const place = object({ top: path, below: path })
export type Place = Of<typeof place>

const fileTime = object({
  seconds: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  nanoseconds: integer(0, 999_999_999),
})
export type FileTime = Of<typeof fileTime>

/** A new entry of a folder of the box. A file is written through the descriptor that comes back. */
const newEntry = either(
  object({ type: oneOf('file', 'folder'), name: entryName }),
  object({ type: literal('link'), name: entryName, target: path, mtime: fileTime }),
)
export type NewEntry = Of<typeof newEntry>

/** Facts about the box that the client needs. */
const copyFacts = object({
  /** The box that was found. */
  box: text(),
  workspace: text(),
  home: text(),
  /** Whether files of the box may be marked setuid. */
  setuidFiles: flag,
  /** Host folders that any box may write: a link in one must not lead the copy out of it. */
  writable: list(text()),
})
export type CopyFacts = Of<typeof copyFacts>

const copyEntry = object({
  /** `kernel`: a file of /proc, /sys or the like, whose content depends on its reader. */
  type: oneOf('file', 'folder', 'link', 'device', 'fifo', 'socket', 'kernel', 'missing'),
  mode: integer(0, 0xffff),
  size: integer(0, Number.MAX_SAFE_INTEGER),
  mtime: fileTime,
  /** Device and inode. */
  identity: text(),
  target: optional(text()),
  /** The name of an errno, when it exists but could not be opened. */
  error: optional(text()),
  open: flag,
})
export type CopyEntry = Of<typeof copyEntry>

/** The result for one new entry: a file's number for `copy.finish`, or why it was not made. */
const created = object({
  file: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  identity: optional(text()),
  error: optional(text()),
})
export type Created = Of<typeof created>

/** The name of an errno, or null on success. */
const outcome: Shape<string | null> = either(nothing, text())

export const COPY_CALLS = {
  'copy.begin': call(
    'Begins a copy. `descriptors` is the token of a socket that was sent ahead.',
    object({ ...target, descriptors: token }),
    copyFacts,
  ),
  'copy.look': call(
    'Looks at a path of the box. Links on the way are followed; with `follow`, also a link at its end.',
    object({ path, follow: flag }),
    copyEntry,
  ),
  'copy.open': call(
    'Looks at names in a folder, and opens files for reading; with `follow`, also files behind links.',
    object({ folder: place, names: list(entryName, MAX_ENTRIES), follow: flag }),
    list(copyEntry, MAX_ENTRIES),
  ),
  'copy.list': call('Opens a folder for listing.', object({ folder: place }), list(copyEntry, 1)),
  'copy.create': call(
    'Makes entries in a folder.',
    object({ folder: place, entries: list(newEntry, MAX_ENTRIES) }),
    list(created, MAX_ENTRIES),
  ),
  'copy.finish': call(
    'Gives created and written files their final names.',
    object({ files: list(integer(0, Number.MAX_SAFE_INTEGER), MAX_ENTRIES) }),
    list(outcome, MAX_ENTRIES),
  ),
  'copy.settle': call(
    'Sets mode and time of a folder once it is filled.',
    object({ folder: place, mode: integer(0, 0o7777), mtime: fileTime }),
    outcome,
  ),
  'copy.end': call(
    'Ends the copy, and removes files that were created but not finished.',
    object({}),
    nothing,
  ),
} as const
