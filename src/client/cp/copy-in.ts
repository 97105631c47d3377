/** Copies into a box: reads files of the host here, and writes them into files that the box's init makes. */

import type { Statx } from '../../../ffi/abi/structs.ts'
import { copyBytes } from '../../../ffi/copy-bytes.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import {
  isKernelFile,
  listNames,
  openFile,
  openFolder,
  readLink,
  setModeAndTime,
  statAt,
} from '../../../ffi/tree.ts'
import { type Created, MAX_ENTRIES, type NewEntry, type Place } from '../../protocol/calls/copies.ts'
import type { BoxSide, Held } from './box-side.ts'
import type { CopyReport } from './copy-report.ts'
import { identityOf, MAX_DEPTH, SKIPPED, slices, typeOf } from './copy-walk.ts'

const PERMISSIONS = 0o7777
const MARKS = 0o6000 // setuid and setgid

interface Source {
  readonly wanted: NewEntry
  readonly label: string
  readonly stat: Statx
  /** The descriptor, for a file. */
  readonly fd: number | undefined
}

export class CopyIn {
  readonly #side: BoxSide
  readonly #report: CopyReport
  /** Device and inode of coop's own folders. */
  readonly #state: ReadonlySet<string>
  #made: string | undefined

  constructor(side: BoxSide, report: CopyReport, state: ReadonlySet<string>) {
    this.#side = side
    this.#report = report
    this.#state = state
  }

  #mode(stat: Pick<Statx, 'mode'>): number {
    return stat.mode & (this.#side.facts.setuidFiles ? PERMISSIONS : PERMISSIONS & ~MARKS)
  }

  /** Copies some entries of the open folder `from`. `rename` gives an entry that is not a folder another name. */
  async entries(
    from: number,
    names: readonly string[],
    place: Place,
    label: string,
    depth: number,
    rename?: string,
  ): Promise<void> {
    const sources: Source[] = []
    let created: readonly Held<Created>[] = []
    try {
      for (const name of names) {
        const here = `${label}/${name}`
        await this.#report.attempt(here, async () => {
          const source = this.#source(from, name, rename ?? name, here)
          if (source) sources.push(source)
        })
      }
      const wanted = sources.map((source) => source.wanted)
      if (wanted.length) created = await this.#side.create(place, wanted)
      await this.#fill(sources, created)
    } finally {
      for (const { fd } of sources) if (fd !== undefined) closeDescriptor(fd)
    }
    for (const [index, { wanted, label: here }] of sources.entries()) {
      const made = created[index]
      if (made?.error) this.#report.fail(here, made.error)
      else if (wanted.type === 'link') this.#report.files++
      else if (wanted.type === 'folder') {
        const below = place.below ? `${place.below}/${wanted.name}` : wanted.name
        const within = { top: place.top, below }
        const work = () => this.#sub(from, wanted.name, within, here, depth + 1, made?.identity)
        await this.#report.attempt(here, work)
      }
    }
  }

  /** Opens a name and decides what it becomes in the box; undefined when it is left out. */
  #source(from: number, name: string, as: string, label: string): Source | undefined {
    const seen = statAt(from, name)
    const type = typeOf(seen)
    if (type === 'folder') return { wanted: { type, name: as }, label, stat: seen, fd: undefined }
    if (type === 'link') {
      const wanted = { type, name: as, target: readLink(from, name), mtime: seen.mtime } as const
      return { wanted, label, stat: seen, fd: undefined }
    }
    if (type !== 'file') {
      this.#report.skip(label, SKIPPED[type])
      return undefined
    }
    const fd = openFile(from, name)
    const stat = statAt(fd, '')
    const kernel = stat.size === 0n && isKernelFile(fd) // such a file would be copied as an empty one
    if (typeOf(stat) === 'file' && !kernel) return { wanted: { type, name: as }, label, stat, fd }
    closeDescriptor(fd)
    this.#report.fail(label, kernel ? SKIPPED.kernel : SKIPPED.file)
    return undefined
  }

  /** Writes the new files, and gives them their final names. */
  async #fill(sources: readonly Source[], created: readonly Held<Created>[]): Promise<void> {
    const done: { file: number; label: string }[] = []
    const unwritten = new Set(created.flatMap(({ fd }) => (fd === undefined ? [] : [fd])))
    try {
      for (const [index, { fd, file }] of created.entries()) {
        const source = sources[index]
        if (source?.fd === undefined || fd === undefined || file === undefined) continue
        const { fd: from, stat, label } = source
        await this.#report.attempt(label, async () => {
          unwritten.delete(fd)
          await this.write(fd, stat, (to) => copyBytes(from, to, Number(stat.size), this.#report.moved))
          done.push({ file, label })
        })
      }
    } finally {
      unwritten.forEach(closeDescriptor)
    }
    if (!done.length) return
    const errors = await this.#side.finish(done.map(({ file }) => file))
    for (const [index, error] of errors.entries()) {
      if (error) this.#report.fail(done[index]?.label ?? '', error)
      else this.#report.files++
    }
  }

  /** Fills one new file and closes it. */
  async write(
    fd: number,
    like: Pick<Statx, 'mode' | 'mtime'>,
    fill: (to: number) => Promise<void>,
  ): Promise<void> {
    try {
      await fill(fd)
      setModeAndTime(fd, this.#mode(like), like.mtime)
    } finally {
      closeDescriptor(fd)
    }
  }

  async #sub(
    from: number,
    name: string,
    place: Place,
    label: string,
    depth: number,
    target: string | undefined,
  ): Promise<void> {
    const fd = openFolder(from, name)
    try {
      await this.folder(fd, place, label, depth, target)
      await this.settle(fd, place, label)
    } finally {
      closeDescriptor(fd)
    }
  }

  /** Sets the mode and time of a copied folder to those of the open original. */
  async settle(from: number, place: Place, label: string): Promise<void> {
    const stat = statAt(from, '')
    const error = await this.#side.settle(place, this.#mode(stat), stat.mtime)
    if (error) this.#report.fail(label, error)
  }

  /** Copies an open folder of the host into one of the box, whose device and inode are `target`. */
  async folder(
    from: number,
    place: Place,
    label: string,
    depth: number,
    target: string | undefined,
  ): Promise<void> {
    if (depth > MAX_DEPTH) return this.#report.fail(label, `it is more than ${MAX_DEPTH} folders deep`)
    this.#made ??= target
    const identity = identityOf(statAt(from, ''))
    if (identity === target || identity === this.#made)
      return this.#report.fail(label, 'it is the copy itself')
    if (this.#state.has(identity)) return this.#report.skip(label, 'coop keeps its own state there')
    for (const listed of listNames(from))
      for (const names of slices(listed, MAX_ENTRIES)) await this.entries(from, names, place, label, depth)
  }
}
