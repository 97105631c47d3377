/**
 * Copies out of a box: its init opens the files, and they are written into a folder of the host. No name from the box
 * is trusted.
 */
import { copyBytes } from '../../../ffi/copy-bytes.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import {
  createFile,
  listNames,
  makeFolder,
  makeLink,
  remove,
  rename,
  setLinkTime,
  setModeAndTime,
  statAt,
} from '../../../ffi/tree.ts'
import { type CopyEntry, isEntryName, MAX_ENTRIES, type Place } from '../../protocol/calls/copies.ts'
import type { BoxSide, Held } from './box-side.ts'
import type { CopyReport } from './copy-report.ts'
import { identityOf, MAX_DEPTH, SKIPPED, slices } from './copy-walk.ts'

const PERMISSIONS = 0o777 // setuid, setgid and sticky bits never come out of a box

export class CopyOut {
  readonly #side: BoxSide
  readonly #report: CopyReport
  /** The new folder: when it lies inside the source, it must not be copied into itself. */
  #made: string | undefined

  constructor(side: BoxSide, report: CopyReport) {
    this.#side = side
    this.#report = report
  }

  /** Copies one file or link as `name` into the open folder `to`, and closes the entry's descriptor. */
  async entry(entry: Held<CopyEntry>, to: number, name: string, label: string): Promise<void> {
    const { fd } = entry
    try {
      if (entry.type === 'missing' && !entry.error) this.#report.fail(label, 'ENOENT')
      else if (entry.error) this.#report.fail(label, entry.error)
      else if (entry.type === 'link') this.#link(entry, to, name)
      else if (fd !== undefined) await this.#file(entry, fd, to, name)
      else this.#report.skip(label, SKIPPED[entry.type])
    } finally {
      if (fd !== undefined) closeDescriptor(fd)
    }
  }

  async #file(entry: CopyEntry, fd: number, to: number, name: string): Promise<void> {
    const temporary = `.coop-cp.${crypto.randomUUID()}`
    const file = createFile(to, temporary)
    try {
      await copyBytes(fd, file, entry.size, this.#report.moved)
      setModeAndTime(file, entry.mode & PERMISSIONS, entry.mtime)
      rename(to, temporary, name)
      this.#report.files++
    } catch (error) {
      remove(to, temporary)
      throw error
    } finally {
      closeDescriptor(file)
    }
  }

  #link(entry: CopyEntry, to: number, name: string): void {
    const temporary = `.coop-cp.${crypto.randomUUID()}`
    makeLink(entry.target ?? '', to, temporary)
    try {
      setLinkTime(to, temporary, entry.mtime)
      rename(to, temporary, name)
      this.#report.files++
    } catch (error) {
      remove(to, temporary)
      throw error
    }
  }

  /** Copies a folder of the box into an open one of the host; with `isCopy` also its mode and time. */
  async folder(place: Place, to: number, label: string, isCopy: boolean, depth = 0): Promise<void> {
    if (depth > MAX_DEPTH) return this.#report.fail(label, `it is more than ${MAX_DEPTH} folders deep`)
    const source = await this.#side.list(place)
    if (source?.fd === undefined)
      return source?.type === 'kernel'
        ? this.#report.skip(label, SKIPPED.kernel)
        : this.#report.fail(label, source?.error ?? 'ENOENT')
    try {
      const target = identityOf(statAt(to, ''))
      this.#made ??= target
      if (source.identity === target || source.identity === this.#made)
        return this.#report.fail(label, 'it is the copy itself')
      for (const listed of listNames(source.fd))
        for (const names of slices(listed.filter(isEntryName), MAX_ENTRIES))
          await this.#some(place, names, to, label, depth)
      if (isCopy) setModeAndTime(to, source.mode & PERMISSIONS, source.mtime)
    } finally {
      closeDescriptor(source.fd)
    }
  }

  async #some(
    place: Place,
    names: readonly string[],
    to: number,
    label: string,
    depth: number,
  ): Promise<void> {
    const entries = await this.#side.open(place, names)
    const unread = new Set(entries.flatMap(({ fd }) => (fd === undefined ? [] : [fd])))
    const folders: string[] = []
    try {
      for (const [index, entry] of entries.entries()) {
        const name = names[index] ?? ''
        const here = `${label}/${name}`
        if (entry.type === 'folder' && !entry.error) folders.push(name)
        // A file that was removed since the listing is no failure.
        else if (entry.type !== 'missing' || entry.error)
          await this.#report.attempt(here, async () => {
            if (entry.fd !== undefined) unread.delete(entry.fd)
            await this.entry(entry, to, name, here)
          })
      }
    } finally {
      unread.forEach(closeDescriptor)
    }
    for (const name of folders) {
      const here = `${label}/${name}`
      const below = place.below ? `${place.below}/${name}` : name
      await this.#report.attempt(here, () => this.#sub({ top: place.top, below }, to, name, here, depth + 1))
    }
  }

  async #sub(place: Place, to: number, name: string, label: string, depth: number): Promise<void> {
    const fd = makeFolder(to, name)
    try {
      await this.folder(place, fd, label, true, depth)
    } finally {
      closeDescriptor(fd)
    }
  }
}
