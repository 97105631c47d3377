/**
 * Deletes files that belong to a box's other ids: nobody but root, or root of a user namespace with the same
 * map, may. A namespace without a box, for as long as it takes.
 */

import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { bear, writeIdMaps } from '../container/clone.ts'
import type { ContainerContext } from '../container/context.ts'
import { planIds } from '../sandbox/ids.ts'

const LISTING = 64 * 1024 // bytes of one getdents64 answer
const PER_BATCH = 500
const TYPE_FOLDER = 4 // DT_DIR

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

async function list(channel: Channel, path: Buffer): Promise<Entry[]> {
  const batch = new Batch()
  batch.call('fchmodat', [k.AT_FDCWD, cstring(path), 0o700], { mayFail: true })
  const flags = k.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW | k.O_CLOEXEC
  const dir = batch.call('openat', [k.AT_FDCWD, cstring(path), flags], { scoped: true })
  const space = batch.space(LISTING)
  batch.call('getdents64', [dir, space, LISTING])
  batch.output(space)
  const { results, output } = await channel.run(batch)
  return parseEntries(output.subarray(0, results.at(-1) ?? 0))
}

async function removeFolder(channel: Channel, path: Buffer): Promise<void> {
  for (;;) {
    const entries = await list(channel, path)
    if (!entries.length) break
    const below = (entry: Entry): Buffer => Buffer.concat([path, Buffer.from('/'), entry.name])
    for (const entry of entries) if (entry.folder) await removeFolder(channel, below(entry))
    const files = entries.filter((entry) => !entry.folder)
    for (let at = 0; at < files.length; at += PER_BATCH) {
      const batch = new Batch()
      for (const entry of files.slice(at, at + PER_BATCH))
        batch.call('unlinkat', [k.AT_FDCWD, cstring(below(entry)), 0])
      await channel.run(batch)
    }
  }
  const batch = new Batch()
  batch.call('unlinkat', [k.AT_FDCWD, cstring(path), k.AT_REMOVEDIR])
  await channel.run(batch)
}

/** Delete folders of coop's own trash, whoever their files belong to. */
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
      await removeFolder(channel, Buffer.from(folder)).catch((error) =>
        context.log('not-deleted', { folder, error: String(error) }),
      )
    }
  } finally {
    channel.close()
  }
}
