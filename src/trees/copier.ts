/**
 * A user namespace with a box's id map and nothing else, for work on files of all ids of a box: only root, or root of
 * such a namespace, may read, make and own them. It lives as long as the work.
 */
import { closeSync, constants, openSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { rlimit64 } from '../../ffi/abi/structs.ts'
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { bear, writeIdMaps } from '../container/clone.ts'
import type { ContainerContext } from '../container/context.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { type Copied, TreeCopy } from './tree-copy.ts'

const MAX_OPEN_FILES = 1 << 18 // two for each level of folders, however deep a box has nested them

export async function becomeRoot(channel: Channel, ids: IdPlan, openFiles: number): Promise<void> {
  const batch = new Batch()
  // With a single id setgroups(2) is denied for good.
  if (ids.kind !== 'single') batch.call('setgroups', [0, 0])
  batch.call('setresgid', [0, 0, 0])
  batch.call('setresuid', [0, 0, 0])
  batch.call('umask', [0])
  batch.call('prlimit64', [0, k.RLIMIT_NOFILE, rlimit64(openFiles), 0], { mayFail: true })
  await channel.run(batch)
}

async function withCopier<T>(
  { host, zygote }: ContainerContext,
  ids: IdPlan,
  work: (channel: Channel) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { channel, init } = await bear({ network: 'host', zygote, events: {} })
  const end = (): void => channel.close() // its current work then rejects
  signal?.addEventListener('abort', end)
  try {
    signal?.throwIfAborted()
    await writeIdMaps(init.pid, ids, host)
    await becomeRoot(channel, ids, Math.min(MAX_OPEN_FILES, host.hardLimits.openFiles))
    return await work(channel)
  } finally {
    signal?.removeEventListener('abort', end)
    channel.close()
  }
}

// Opened here and passed on: root of the box's ids may be unable to reach the folder by path.
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Copies the content of a folder into an empty folder that belongs to root of the box. Rejects with a BatchError, whose
 * code is the errno's name, and when `signal` is aborted; the target then holds a part.
 */
export async function copyTree(
  context: ContainerContext,
  ids: IdPlan,
  source: string,
  target: string,
  signal?: AbortSignal,
): Promise<Copied> {
  const from = openSync(source, FOLDER)
  try {
    const to = openSync(target, FOLDER)
    try {
      return await withCopier(context, ids, (channel) => new TreeCopy(channel).copy(from, to), signal)
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
}

/** Writes everything on a folder's file system to its disk. That may take seconds, in which the daemon continues. */
export async function syncTree(context: ContainerContext, ids: IdPlan, folder: string): Promise<void> {
  const fd = openSync(folder, FOLDER)
  try {
    await withCopier(context, ids, async (channel) => {
      const batch = new Batch()
      batch.call('syncfs', [batch.fd(fd)])
      await channel.run(batch)
    })
  } finally {
    closeSync(fd)
  }
}
