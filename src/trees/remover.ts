/**
 * Deletes files of a box's other ids. An ordinary user cannot remove them, but root of a user namespace with the same
 * map can. As in remove-tree.ts, every name is resolved in an open folder, because a box that shares the files may be
 * changing them, and few folders are open at once.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { bear, writeIdMaps } from '../container/clone.ts'
import type { ContainerContext } from '../container/context.ts'
import { MAX_DEPTH, movedName } from '../disk/remove-tree.ts'
import { planIds } from '../sandbox/ids.ts'

const LISTING = 64 * 1024 // bytes of one getdents64 answer
const PER_BATCH = 500
const TYPE_FOLDER = 4 // DT_DIR
const ROUNDS = 100_000 // listings of some thousand names; a bound, because a process may keep making files
const FIRST_FREE = 16 // the first of our own descriptors in init
const FOLDER = k.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW | k.O_CLOEXEC

interface Entry {
  readonly name: Buffer
  readonly folder: boolean
}

/** struct linux_dirent64 (getdents(2)). */
export function parseEntries(bytes: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at + 19 < bytes.length; ) {
    const length = bytes.readUInt16LE(at + 16)
    if (length < 20) break
    const end = bytes.indexOf(0, at + 19)
    const name = Buffer.from(bytes.subarray(at + 19, end))
    const text = name.toString('latin1')
    if (text !== '.' && text !== '..') entries.push({ name, folder: bytes[at + 18] === TYPE_FOLDER })
    at += length
  }
  return entries
}

const cstring = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.from([0])])

class Cleaner {
  readonly #channel: Channel
  /** The folder that contains the deleted ones: a descriptor number in init. */
  readonly #top: number
  readonly #moved: Buffer[] = []

  constructor(channel: Channel, top: number) {
    this.#channel = channel
    this.#top = top
  }

  async remove(name: Buffer): Promise<void> {
    await this.#folder(this.#top, name, 0)
    for (let deep = this.#moved.pop(); deep; deep = this.#moved.pop()) await this.#folder(this.#top, deep, 0)
  }

  async #run(build: (batch: Batch) => void) {
    const batch = new Batch()
    build(batch)
    return await this.#channel.run(batch)
  }

  async #folder(dir: number, name: Buffer, depth: number): Promise<void> {
    if (depth === MAX_DEPTH) {
      const moved = Buffer.from(movedName())
      const to = [this.#top, cstring(moved), k.RENAME_NOREPLACE]
      await this.#run((batch) => batch.call('renameat2', [dir, cstring(name), ...to]))
      this.#moved.push(moved)
      return
    }
    const { results } = await this.#run((batch) => batch.call('openat', [dir, cstring(name), FOLDER]))
    const folder = results[0] ?? -1
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const entries = await this.#list(folder)
        if (!entries.length) break
        await this.#content(folder, entries, depth)
      }
    } finally {
      await this.#run((batch) => batch.call('close', [folder]))
    }
    await this.#run((batch) => batch.call('unlinkat', [dir, cstring(name), k.AT_REMOVEDIR]))
  }

  async #content(folder: number, entries: readonly Entry[], depth: number): Promise<void> {
    for (const entry of entries) if (entry.folder) await this.#folder(folder, entry.name, depth + 1)
    const files = entries.filter((entry) => !entry.folder)
    for (let at = 0; at < files.length; at += PER_BATCH)
      await this.#run((batch) => {
        for (const { name } of files.slice(at, at + PER_BATCH))
          batch.call('unlinkat', [folder, cstring(name), 0])
      })
  }

  /** Starts from the beginning each time, because the earlier names are deleted by then. */
  async #list(folder: number): Promise<Entry[]> {
    const { results, output } = await this.#run((batch) => {
      const space = batch.space(LISTING)
      batch.call('lseek', [folder, 0, 0])
      batch.call('getdents64', [folder, space, LISTING])
      batch.output(space)
    })
    return parseEntries(output.subarray(0, results.at(-1) ?? 0))
  }
}

/** By a descriptor of ours: init may be unable to reach the folder by path. */
async function removeIn(channel: Channel, path: string): Promise<void> {
  const top = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const batch = new Batch()
    batch.call('fcntl', [batch.fd(top), k.F_DUPFD_CLOEXEC, FIRST_FREE])
    const { results } = await channel.run(batch)
    await new Cleaner(channel, results[0] ?? -1).remove(Buffer.from(basename(path)))
  } finally {
    closeSync(top)
  }
}

/** Delete folders inside coop's own, such as its trash, whichever ids their files belong to. */
export async function janitor(
  context: ContainerContext & { log(event: string, fields: Readonly<Record<string, unknown>>): void },
  folders: readonly string[],
): Promise<void> {
  const { host, zygote } = context
  const ids = planIds(host.ids)
  if (ids.kind !== 'range') return
  const { channel, init } = await bear({ network: 'host', zygote, events: {} })
  try {
    await writeIdMaps(init.pid, ids, host)
    for (const folder of folders) {
      await removeIn(channel, folder).catch((error) =>
        context.log('not-deleted', { folder, error: String(error) }),
      )
    }
  } finally {
    channel.close()
  }
}
