/** Watches on folders of the host: inotify(7). Names are bytes, one character each (latin1), as in tree.ts. */
import * as k from './abi/constants.ts'
import { must, syscall } from './libc.ts'

export const IN_ATTRIB = 0x4
export const IN_MOVED_FROM = 0x40
export const IN_MOVED_TO = 0x80
export const IN_CREATE = 0x100
export const IN_Q_OVERFLOW = 0x4000
export const IN_IGNORED = 0x8000
export const IN_ISDIR = 0x4000_0000
const IN_MASK_ADD = 0x2000_0000
const IN_ONLYDIR = 0x0100_0000
const IN_EXCL_UNLINK = 0x0400_0000

const EVENT_SIZE = 16 // struct inotify_event without its name
const BUFFER = 64 * 1024

export interface InotifyEvent {
  readonly watch: number
  readonly mask: number
  readonly name: string
}

/** A descriptor for watches. */
export function openInotify(): number {
  return must('inotify_init1', undefined, k.O_CLOEXEC | k.O_NONBLOCK)
}

/** Watches the names of an open folder. Returns the watch, the same for the same folder, or a negated errno. */
export function watchFolder(inotify: number, folder: number, also = 0): number {
  const path = Buffer.from(`/proc/self/fd/${folder}\0`, 'latin1')
  // Added, since the same folder may be watched for more already.
  const mask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD | also
  return syscall('inotify_add_watch', inotify, path, mask)
}

export function removeWatch(inotify: number, watch: number): void {
  syscall('inotify_rm_watch', inotify, watch)
}

/** What has happened since, up to one buffer of it; empty when nothing is left. */
export function readEvents(inotify: number): InotifyEvent[] {
  const bytes = Buffer.alloc(BUFFER)
  const size = syscall('read', inotify, bytes, bytes.length)
  const events: InotifyEvent[] = []
  for (let at = 0; at + EVENT_SIZE <= size; ) {
    const length = bytes.readUInt32LE(at + 12)
    const name = bytes.subarray(at + EVENT_SIZE, at + EVENT_SIZE + length)
    const end = name.indexOf(0)
    events.push({
      watch: bytes.readInt32LE(at),
      mask: bytes.readUInt32LE(at + 4),
      name: name.toString('latin1', 0, end < 0 ? length : end),
    })
    at += EVENT_SIZE + length
  }
  return events
}
